"""Sampler, schedule and budget together."""

from itertools import count
from typing import Any

from pegbox.schemas.history import History
from pegbox.search.methods import strategy_for
from pegbox.search.simulation import Outcome, Simulation
from pegbox.testing.studies import bowl, failing, study


def run(space: dict[str, Any] | None = None, answer: Any = bowl, workers: int = 1, **changes: Any) -> Simulation:
    spec = study(space, **{"search": {"method": "random"}} | changes)
    simulation = Simulation(strategy_for(spec), History(spec=spec), answer, workers)
    simulation.run(max_steps=500)
    return simulation


def reason(simulation: Simulation) -> str:
    assert simulation.done is not None
    return simulation.done.reason


def test_known_configurations_are_tried_first_and_once() -> None:
    known = [{"a": 4}, {"a": 2}]
    space = {"a": {"min": 1, "max": 5, "int": True}}
    simulation = run(space, search={"method": "random", "enqueue": known}, budget={"trials": 5})
    tried = [dict(trial.configuration) for trial in simulation.history.trials]
    assert tried[:2] == known
    assert sorted(str(configuration["a"]) for configuration in tried) == ["1", "2", "3", "4", "5"]


def test_the_limit_of_trials_ends_the_search() -> None:
    assert reason(run()) == "All 20 trials of the budget have been tried."


def test_a_raised_limit_goes_on() -> None:
    history = run().history
    spec = study(search={"method": "random"}, budget={"trials": 23})
    simulation = Simulation(strategy_for(spec), history.model_copy(update={"spec": spec}), bowl)
    assert len(simulation.run().trials) == 23


def test_an_exhausted_space_ends_the_search() -> None:
    assert reason(run({"a": [1, 2, 3]})) == "Every one of the 3 configurations of the space has been tried."


def test_a_target_ends_the_search() -> None:
    simulation = run(
        {"a": {"min": 1, "max": 7, "int": True}},
        lambda configuration, *_: Outcome({"score": float(configuration["a"])}),
        objective={"metric": "score", "goal": "maximize", "target": 7},
    )
    assert reason(simulation) == f"Trial {len(simulation.history.trials) - 1} reached the target with score = 7."


def test_trial_outside_the_constraints_reaches_no_target() -> None:
    simulation = run(
        {"a": {"min": 1, "max": 7, "int": True}},
        lambda configuration, *_: Outcome({"score": float(configuration["a"]), "size": float(configuration["a"])}),
        objective={"metric": "score", "goal": "maximize", "target": 5},
        constraints=[{"metric": "size", "max": 4}],
    )
    assert reason(simulation) == "Every one of the 7 configurations of the space has been tried."


def test_better_trials_outside_the_constraints_are_no_improvement() -> None:
    numbers = count()
    simulation = run(
        answer=lambda *_: Outcome({"loss": -float(number := next(numbers)), "size": float(number)}),
        budget={"stagnation": 6},
        constraints=[{"metric": "size", "max": 3}],
    )
    assert len(simulation.history.trials) == 4 + 6


def test_time_ends_the_search() -> None:
    simulation = run(answer=lambda *_: Outcome({"loss": 1.0}, seconds=30), budget={"time": "5m"})
    assert reason(simulation) == "The 300 seconds of the budget have passed."


def test_epochs_end_the_search_before_they_are_overdrawn() -> None:
    simulation = run(budget={"epochs": 40})
    assert reason(simulation) == "The next step needs 9 epochs, and 4 of the 40 are left."
    assert len(simulation.history.trials) == 4


def test_cost_ends_the_search() -> None:
    simulation = run(answer=lambda *_: Outcome({"loss": 1.0, "cost": 2.5}), budget={"cost": 10})
    assert len(simulation.history.trials) == 4


def test_stagnation_ends_the_search() -> None:
    simulation = run(answer=lambda *_: Outcome({"loss": 1.0}), budget={"stagnation": 6})
    assert reason(simulation) == "No better value came in 6 completed trials."
    assert len(simulation.history.trials) == 7


def test_failures_from_the_start_end_the_search() -> None:
    simulation = run(answer=failing, budget={"trials": 50, "failures": 5})
    assert reason(simulation) == "The first 5 trials all failed."
    assert len(simulation.history.trials) == 5


def test_a_study_without_a_limit_of_failures_ends_after_ten() -> None:
    assert len(run(answer=failing, budget={"time": "1h"}).history.trials) == 10


def test_eight_workers_keep_the_limit_of_trials() -> None:
    assert len(run(workers=8).history.trials) == 20
