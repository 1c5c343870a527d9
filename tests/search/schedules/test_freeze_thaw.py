"""Freeze-thaw: what to try and how far, decided at once."""

from typing import Any

import numpy as np
import pytest

from pegbox.schemas.history import History
from pegbox.search.methods import check_search, strategy_for
from pegbox.search.simulation import Outcome, Simulation
from pegbox.testing.studies import bowl, failing, study

SPACE = {"x": {"min": 0.0, "max": 1.0}, "y": {"min": 0.0, "max": 1.0}}


def simulation(
    answer: Any = bowl, workers: int = 1, space: dict[str, Any] | None = SPACE, **changes: Any
) -> Simulation:
    fidelity = {"min": 1, "max": 9}
    spec = study(
        space, **{"search": {"method": "freeze_thaw"}, "fidelity": fidelity, "budget": {"epochs": 90}} | changes
    )
    return Simulation(strategy_for(spec), History(spec=spec), answer, workers)


@pytest.mark.parametrize("workers", [1, 4])
def test_a_study_spends_its_epochs_and_no_more(workers: int) -> None:
    run = simulation(workers=workers)
    history = run.run(max_steps=200)
    assert run.done is not None
    assert 81 <= sum(trial.budget for trial in history.trials) <= 90


def waves(configuration: Any, _: int, to_budget: int) -> Outcome:
    x, y = configuration["x"], configuration["y"]
    return Outcome({"loss": (x - 0.3) ** 2 + float(np.sin(9 * x) * np.cos(7 * y)) + 1 / to_budget})


def test_some_trials_are_trained_to_the_end_and_as_many_are_not() -> None:
    history = simulation(waves, fidelity={"min": 1, "max": 9}, budget={"epochs": 50}).run(max_steps=200)
    assert 1 <= len(history.completed) <= len(history.trials) / 2


def test_a_good_beginning_is_trained_on() -> None:
    history = simulation(waves, budget={"epochs": 50}).run(max_steps=200)
    full = [trial.value("loss", 1) for trial in history.completed]
    others = [trial.value("loss", 1) for trial in history.trials if trial.budget == 1]
    assert np.mean(full) < np.mean(others)


def test_a_limit_of_trials_leaves_the_paused_to_go_on() -> None:
    run = simulation(budget={"trials": 6})
    history = run.run(max_steps=200)
    assert run.done is not None
    assert len(history.trials) == 6
    assert len(history.completed) == 6


def test_a_study_that_only_fails_ends() -> None:
    run = simulation(failing, budget={"trials": 15})
    assert len(run.run(max_steps=100).failed) == 10  # budget.failures


def test_a_finite_space_is_no_obstacle() -> None:
    run = simulation(space={"a": [1, 2, 3, 4], "b": ["x", "y"]}, budget={"epochs": 500})
    assert len(run.run(max_steps=200).completed) == 8


def test_a_fresh_strategy_decides_the_same() -> None:
    history = simulation(workers=3).run(max_steps=20)
    decisions = [strategy_for(history.spec).next(history, np.random.default_rng(0)) for _ in range(2)]
    assert decisions[0] == decisions[1]


def test_several_objectives_are_refused_by_name() -> None:
    spec = study(SPACE, search={"method": "freeze_thaw"}, objectives=({"metric": "loss"}, {"metric": "size"}))
    assert "freeze_thaw takes one objective, got 2" in check_search(spec)[0].message


def test_a_schedule_beside_it_is_refused() -> None:
    spec = study(SPACE, search={"method": "freeze_thaw"}, fidelity={"schedule": "asha"})
    assert "decides itself" in check_search(spec)[0].message
