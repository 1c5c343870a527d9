"""A population whose training takes no time: weights that remember what they learnt under which hyperparameters."""

from typing import Any

from pegbox.schemas.base import Configuration, Metrics
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Stage, Trial
from pegbox.search.narrowed_space import study_strategy
from pegbox.search.simulation import Outcome, Simulation

SPACE: dict[str, Any] = {
    "lr": {"min": 1e-4, "max": 1.0, "log": True},
    "dropout": {"min": 0.0, "max": 0.5},
    "units": {"min": 8, "max": 64, "power_of_two": True},
    "optimizer": ["adamw", "sgd"],
    "momentum": {"min": 0.5, "max": 0.99, "when": {"optimizer": "sgd"}},
}


def population_study(method: str = "pbt", **changes: Any) -> StudySpec:
    """A study of 12 epochs and six members that are compared every three epochs."""
    options = {"population": 6, "interval": 3, **changes.pop("options", {})}
    return StudySpec.model_validate(
        {
            "name": "population",
            "train": {"kind": "mlp", "epochs": 12},
            "data": {"source": "digits", "target": "target"},
            "space": SPACE,
            "objective": {"metric": "val_loss"},
            "budget": {"epochs": 72},
            "search": {"method": method, "options": options},
            **changes,
        }
    )


def learnt(schedule: tuple[Stage, ...]) -> float:
    """The loss after a schedule: a large rate is best at first, and ever smaller ones later."""
    loss, begin = 1.0, 0
    for stage in schedule:
        for epoch in range(begin, stage.to_budget):
            rate = float(stage.configuration["lr"])  # type: ignore[arg-type]
            best = 0.3 * 0.6**epoch
            loss *= 1 - 0.3 / (1 + abs(rate / best - 1))
        begin = stage.to_budget
    return loss


def by_rate(configuration: Configuration, epochs: int, seed: int) -> Metrics:
    """A training for `driven_study.drive`: best at a rate of 0.1, and better with every epoch."""
    return {"val_loss": abs(float(configuration["lr"]) - 0.1) + 1 / epochs}  # type: ignore[arg-type]


class SimulatedPopulation(Simulation):
    """Trains by `learnt`; trials of a number in `failing` fail at their first stretch."""

    def __init__(self, spec: StudySpec, workers: int = 1, failing: tuple[int, ...] = ()) -> None:
        super().__init__(study_strategy(spec), History(spec=spec, version=1), self._unused, workers)
        self._failing = failing

    def _unused(self, *_: Any) -> Outcome:
        raise NotImplementedError

    def _outcome(self, trial: Trial, to_budget: int) -> Outcome:
        if trial.number in self._failing and not trial.evaluations:
            return Outcome(Failure(kind=FailureKind.DIVERGED, message="The loss became NaN."))
        schedule = (*trial.earlier, Stage(configuration=trial.configuration, to_budget=to_budget))
        return Outcome({"val_loss": learnt(schedule)}, seconds=1.0 + trial.number % 3)
