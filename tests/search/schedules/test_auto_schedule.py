"""Early stopping where few whole trainings fit into the budget."""

import zlib
from typing import Any

import pytest

from pegbox.schemas.base import Configuration
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.search.methods import strategy_for
from pegbox.search.simulation import Outcome, Simulation
from pegbox.testing.studies import study

UNIT = {"x": {"min": 0.0, "max": 1.0}, "y": {"min": 0.0, "max": 1.0}}
MLP = {"train": {"kind": "mlp", "epochs": 9}, "data": {"source": "sklearn:iris", "target": "target"}}


def of(budget: dict[str, Any], schedule: str = "auto", method: str = "random", **changes: Any) -> StudySpec:
    search = {"method": method}
    return study(UNIT, **MLP, budget=budget, fidelity={"schedule": schedule}, search=search, **changes)


def paced(seconds: float) -> Any:
    """Epochs that take so long each."""

    def train(configuration: Configuration, from_budget: int, to_budget: int) -> Outcome:
        loss = 1 / to_budget + float(configuration["x"]) ** 2  # type: ignore[arg-type]
        noise = zlib.crc32(repr(configuration).encode()) % 100 / 500
        return Outcome({"loss": loss + noise}, seconds * (to_budget - from_budget))

    return train


def first_rungs(spec: StudySpec, seconds: float = 1.0, broken_off: int = 7, workers: int = 1) -> list[int]:
    """Where each trial was first compared, in a study that was broken off once and resumed by a strategy anew."""
    begun = Simulation(strategy_for(spec), History(spec=spec), paced(seconds), workers).run(max_steps=broken_off)
    history = Simulation(strategy_for(spec), begun, paced(seconds), workers).run(max_steps=300)
    return [trial.evaluations[0].budget for trial in history.trials if trial.evaluations]


def test_few_trainings_worth_of_epochs_are_spent_on_rungs() -> None:
    budget = {"epochs": 90}
    rungs = first_rungs(of(budget))
    assert rungs == first_rungs(of(budget), broken_off=23) == first_rungs(of(budget, "asha"))
    assert set(rungs) == {1}
    assert len(rungs) > 20


def test_a_time_is_spent_on_rungs_once_the_first_training_has_shown_how_few_fit() -> None:
    rungs = first_rungs(of({"time": 100.0}), seconds=1.0)
    resumed = first_rungs(of({"time": 100.0}), seconds=1.0, broken_off=1)
    assert rungs[:20] == resumed[:20]
    assert (rungs[0], set(rungs[1:])) == (9, {1})


def test_workers_that_began_together_train_whole_until_the_first_has_ended() -> None:
    rungs = first_rungs(of({"time": 50.0}, run={"workers": 2}), workers=2)
    assert rungs[:2] == [9, 9]
    assert set(rungs[2:]) == {1}


@pytest.mark.parametrize(
    "budget",
    [{"epochs": 9 * 16}, {"time": 9 * 16.0}, {"trials": 8, "epochs": 72}, {"trials": 8, "time": 72.0}, {"trials": 8},
     {"trials": 10, "stagnation": 20}, {"trials": 10, "improvement": "noise"}],
)  # fmt: skip
def test_many_trainings_and_numbers_of_trials_are_trained_whole(budget: dict[str, Any]) -> None:
    assert set(first_rungs(of(budget))) == {9}


@pytest.mark.parametrize("budget", [{"time": "2h"}, {"epochs": 81}, {"stagnation": 3}, {"improvement": "noise"}])
@pytest.mark.parametrize("schedule", ["auto", "asha"])
def test_any_limit_ends_a_study_of_the_method_and_schedule_auto(budget: dict[str, Any], schedule: str) -> None:
    # Random where only many trials end it: what proposes has no part in that.
    spec = of(budget, schedule, "random" if "improvement" in budget else "auto")
    simulation = Simulation(strategy_for(spec), History(spec=spec), paced(100.0 if "time" in budget else 1.0))
    history = simulation.run(max_steps=600)
    assert simulation.done is not None
    assert history.completed
