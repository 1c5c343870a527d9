"""Searches that keep the limits of other metrics."""

from typing import Any

import numpy as np
import pytest

from pegbox.schemas.history import History
from pegbox.search.methods import check_search, strategy_for
from pegbox.search.model.constraint_model import ConstraintModel
from pegbox.search.objectives import ranking, total_violation
from pegbox.search.simulation import Outcome, Simulation
from pegbox.testing.studies import study

SPACE = {"x": {"min": 0.0, "max": 1.0}, "y": {"min": 0.0, "max": 1.0}}
SMALL = ({"metric": "size", "max": 0.2},)
LIMITED = [
    pytest.param({"method": "bayes"}, id="bayes"),
    pytest.param({"method": "genetic", "options": {"population": 8}}, id="genetic"),
    pytest.param({"method": "optuna:TPESampler"}, id="tpe"),
    pytest.param({"method": "optuna:NSGAIISampler", "options": {"population_size": 8}}, id="nsga"),
]


def valley(configuration: Any, *_: int) -> Outcome:
    """The floor is at (0.7, 0.6), where the size is too large."""
    loss = (configuration["x"] - 0.7) ** 2 + (configuration["y"] - 0.6) ** 2
    return Outcome({"loss": loss, "size": configuration["x"]})


def run(search: dict[str, Any], answer: Any = valley, trials: int = 40, **changes: Any) -> History:
    spec = study(SPACE, search=search, budget={"trials": trials}, **{"constraints": SMALL} | changes)
    return Simulation(strategy_for(spec), History(spec=spec), answer).run()


def best(history: History) -> float:
    losses = [trial.value("loss") or 0.0 for trial in history.completed if history.is_feasible(trial)]
    return min(losses, default=float("inf"))


def kept(history: History) -> float:
    return float(np.mean([history.is_feasible(trial) for trial in history.trials[-20:]]))


@pytest.mark.parametrize("search", LIMITED[:3])
def test_most_trials_come_to_keep_the_limit(search: dict[str, Any]) -> None:
    assert kept(run(search, trials=60)) >= 0.4  # 0.2 by chance


def test_the_model_finds_the_best_point_at_the_limit() -> None:
    assert best(run({"method": "bayes"}, trials=30)) == pytest.approx(0.25, abs=0.01)


def test_where_nothing_keeps_the_limit_the_model_looks_for_what_does() -> None:
    def answer(configuration: Any, *_: int) -> Outcome:
        apart = (configuration["x"] - 0.83) ** 2 + (configuration["y"] - 0.13) ** 2
        return Outcome({"loss": configuration["x"], "size": apart})

    history = run({"method": "bayes"}, answer, constraints=({"metric": "size", "max": 0.001},), trials=25)
    assert sum(history.is_feasible(trial) for trial in history.trials) >= 3


def test_a_lower_limit_and_several_limits_are_kept_together() -> None:
    limits = ({"metric": "size", "min": 0.3, "max": 0.4}, {"metric": "height", "max": 0.5})

    def answer(configuration: Any, *_: int) -> Outcome:
        return Outcome({**valley(configuration).result, "height": configuration["y"]})  # type: ignore[dict-item]

    assert best(run({"method": "bayes"}, answer, constraints=limits)) == pytest.approx(0.3**2 + 0.1**2, abs=0.01)


@pytest.mark.parametrize("search", LIMITED)
def test_a_limited_metric_that_was_not_measured_is_no_obstacle(search: dict[str, Any]) -> None:
    history = run(search, lambda c, *_: Outcome({"loss": c["x"]} | ({"size": 0.1} if c["y"] > 0.5 else {})), trials=24)
    assert len(history.completed) == 24


def test_two_objectives_are_searched_within_the_limit() -> None:
    goals = ({"metric": "loss"}, {"metric": "size", "goal": "maximize"})
    assert kept(run({"method": "bayes"}, objectives=goals)) >= 0.35  # the best lie at the limit


@pytest.mark.parametrize("method", ["hyperopt:tpe", "freeze_thaw", "optuna:QMCSampler"])
def test_a_method_that_keeps_no_limits_is_refused(method: str) -> None:
    (problem,) = check_search(study(SPACE, search={"method": method}, constraints=SMALL))
    assert "keeps no constraints" in problem.message


def test_rows_that_break_a_limit_rank_last_by_how_far() -> None:
    losses = np.array([[1.0], [4.0], [2.0], [3.0]])
    violations = np.array([[2.0, -1.0], [-1.0, -1.0], [0.5, 0.1], [0.0, np.nan]])
    assert ranking(losses, total_violation(violations)).tolist() == [1, 2, 0, 3]


def test_the_probability_falls_as_a_limit_nears() -> None:
    features = np.linspace(0, 1, 12)[:, None]
    model = ConstraintModel(features, features - 0.5, np.array([0]), 1)
    probability = np.exp(model.log_probability(np.array([[0.1], [0.5], [0.9]])))
    assert probability[0] > 0.95
    assert probability[1] == pytest.approx(0.5, abs=0.2)
    assert probability[2] < 0.05
