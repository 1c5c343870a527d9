"""The trial that this process trains, for code that is not handed it: callbacks of other libraries, deep in a loop."""

from pathlib import Path
from typing import Any, Protocol


class RunningTrial(Protocol):
    """What a callback may ask of the trial that it runs in.

    Attributes:
        number: Of the trial in its study.
        seed: For every random number of the trial.
        from_budget: Where the segment begins, in epochs (or rounds, as the study counts them).
        budget: Where it should end.
        checkpoint_dir: A directory to leave files in.
        resume_dir: What the segment before left there; None to begin.
        is_copy: True where that was another trial, of a population, with other hyperparameters.
    """

    number: int
    seed: int
    from_budget: int
    budget: int
    checkpoint_dir: Path
    resume_dir: Path | None
    is_copy: bool

    def report(self, *positional: Any, **named: Any) -> None:
        """Report metrics at a step: `report(3, {"val_loss": 0.1})`."""
        ...


class _Running:
    """A process trains one trial at a time; a global, not a context variable, as loops may train in threads."""

    trial: RunningTrial | None = None


def set_running(trial: RunningTrial | None) -> None:
    """Say which trial this process trains from now on."""
    _Running.trial = trial


def running() -> RunningTrial | None:
    """The trial that this process trains; None outside of one."""
    return _Running.trial
