"""A schedule of hyperparameters in words: which epochs, and what was changed; for the terminal and for markdown."""

from collections.abc import Iterator, Sequence

from pegbox.report.number_format import parameter
from pegbox.schemas.trial import Stage


def stages_in_words(stages: Sequence[Stage]) -> Iterator[tuple[str, str]]:
    """Each stage: its epochs, and the values of all parameters that ever change.

    >>> stages = [Stage(configuration={"lr": 0.1, "units": 8}, to_budget=4),
    ...           Stage(configuration={"lr": 0.08, "units": 8}, to_budget=5)]
    >>> list(stages_in_words(stages))
    [('epochs 1 to 4', 'lr=0.1'), ('epoch 5', 'lr=0.08')]
    """
    names = dict.fromkeys(name for one in stages for name in one.configuration)
    changing = [name for name in names if _changes(name, stages)]
    begin = 1
    for stage in stages:
        epochs = f"epoch {begin}" if begin == stage.to_budget else f"epochs {begin} to {stage.to_budget}"
        values = [
            f"{name}={parameter(stage.configuration[name], 4)}" for name in changing if name in stage.configuration
        ]
        yield epochs, " ".join(values) or "as they are"
        begin = stage.to_budget + 1


def _changes(name: str, stages: Sequence[Stage]) -> bool:
    first = stages[0].configuration
    return any(
        (name in stage.configuration) != (name in first) or stage.configuration.get(name) != first.get(name)
        for stage in stages
    )
