"""Small studies and their simulated histories, for the contracts and for the tests of rooms that read a history."""

import zlib
from typing import Any

import numpy as np

from pegbox.schemas.base import Configuration
from pegbox.schemas.events import TrialEvaluated
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Trial, TrialState
from pegbox.search.simulation import Outcome

MIXED = {
    "lr": {"min": 1e-5, "max": 1e-1, "log": True},
    "units": {"min": 16, "max": 512, "log": True, "int": True},
    "batch": {"min": 16, "max": 256, "power_of_two": True},
    "layers": {"min": 1, "max": 5, "int": True},
    "dropout": {"min": 0.0, "max": 0.6},
    "decay": {"min": 1e-6, "max": 1e-2, "log": True, "extra": [0.0]},
    "size": {"values": ["small", "medium", "large"], "ordered": True},
    "optimizer": ["adamw", "sgd", "lion"],
    "momentum": {"min": 0.0, "max": 0.99, "when": {"optimizer": ["sgd", "lion"]}},
    "nesterov": {"values": [True, False], "when": {"optimizer": "sgd", "momentum": [0.0, 0.9]}},
    "device": "cpu",
    "forbid": [{"optimizer": "lion", "lr": {"min": 0.01}}],
}


def study(space: dict[str, Any] | None = None, **changes: Any) -> StudySpec:
    """A study of a function, with 20 trials of 9 epochs where nothing else is said."""
    raw: dict[str, Any] = {
        "name": "contract",
        "train": {"kind": "function", "function": "my_project:run", "epochs": 9},
        "space": MIXED if space is None else space,
        "objective": {"metric": "loss"},
        "budget": {"trials": 20},
    }
    if "objectives" in changes:
        del raw["objective"]
    return StudySpec.model_validate(raw | changes)


def bowl(configuration: Configuration, from_budget: int, to_budget: int) -> Outcome:
    """A smooth loss of the numbers of a configuration that falls with the budget."""
    numbers = [float(value) for value in configuration.values() if isinstance(value, int | float)]
    loss = float(np.mean([np.log1p(abs(number - 0.3)) for number in numbers])) if numbers else 1.0
    return Outcome({"loss": loss + 1 / to_budget, "size": -loss}, seconds=1.0 + abs(loss) % 1)


def failing(configuration: Configuration, from_budget: int, to_budget: int) -> Outcome:
    """Nothing ever works."""
    return Outcome(Failure(kind=FailureKind.DIVERGED, message="The loss became NaN."))


def loss_of_any_size(configuration: Configuration, from_budget: int, to_budget: int) -> Outcome:
    """A loss that is 1e30 here and -1e30 there: what is left of infinities where somebody wrote them as numbers."""
    return Outcome({"loss": [1e30, -1e30, 0.5, 1e-30][zlib.crc32(repr(configuration).encode()) % 4], "size": 1e30})


def equal_loss(configuration: Configuration, from_budget: int, to_budget: int) -> Outcome:
    """Nothing makes a difference."""
    return Outcome({"loss": 1.0, "size": 1.0})


def loss_now_and_then(configuration: Configuration, from_budget: int, to_budget: int) -> Outcome:
    """Half of the losses are missing: they were NaN or infinite, and who measures leaves such values out."""
    is_missing = zlib.crc32(repr((configuration, to_budget)).encode()) % 2
    return Outcome({} if is_missing else bowl(configuration, from_budget, to_budget).result)


def ended(trial: Trial) -> TrialEvaluated:
    """That a running trial has ended, with a loss of its own."""
    evaluation = Evaluation(budget=9, metrics={"loss": 0.1 * trial.number, "size": 1.0})
    return TrialEvaluated(study="contract", trial=trial.number, evaluation=evaluation, state=TrialState.COMPLETED)


def finished(spec: StudySpec, configurations: list[Configuration], losses: list[float | None]) -> History:
    """A history of trials that are completed; failed where the loss is None."""
    return History(spec=spec, trials=tuple(map(_trial, range(len(losses)), configurations, losses)))


def _trial(number: int, configuration: Configuration, loss: float | None) -> Trial:
    if loss is None:
        failure = Failure(kind=FailureKind.DIVERGED, message="The loss became NaN.")
        return Trial(number=number, configuration=configuration, seed=0, state=TrialState.FAILED, failure=failure)
    evaluation = Evaluation(budget=9, metrics={"loss": loss, "size": -loss})
    return Trial(
        number=number,
        configuration=configuration,
        seed=0,
        state=TrialState.COMPLETED,
        budget=9,
        to_budget=9,
        evaluations=(evaluation,),
    )
