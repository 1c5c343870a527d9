"""The genetic algorithm."""

from typing import Any

import numpy as np

from pegbox.schemas.history import History
from pegbox.search.methods import strategy_for
from pegbox.search.objectives import fronts, loss_table
from pegbox.search.samplers.genetic import reflected
from pegbox.search.simulation import Outcome, Simulation
from pegbox.testing.samplers import SamplerContract
from pegbox.testing.studies import study

SPACE = {"x": {"min": 0.0, "max": 1.0}, "y": {"min": 0.0, "max": 1.0}, "z": ["a", "b", "c"]}


class TestGeneticSampler(SamplerContract):
    method = "genetic"


def run(method: str, answer: Any, trials: int, **changes: Any) -> History:
    spec = study(SPACE, search={"method": method}, budget={"trials": trials}, **changes)
    return Simulation(strategy_for(spec), History(spec=spec), answer).run()


def valley(configuration: Any, *_: int) -> Outcome:
    apart = (configuration["x"] - 0.37) ** 2 + (configuration["y"] - 0.61) ** 2
    return Outcome({"loss": apart + (configuration["z"] != "b")})


def test_it_finds_a_valley_that_random_search_does_not() -> None:
    best = {
        method: min(trial.value("loss") or 0.0 for trial in run(method, valley, 120).completed)
        for method in ("genetic", "random")
    }
    assert best["genetic"] < 0.1 * best["random"]


def test_two_objectives_spread_over_their_front() -> None:
    goals = ({"metric": "near"}, {"metric": "far"})

    def answer(configuration: Any, *_: int) -> Outcome:
        off = 3 * (configuration["y"] - 0.5) ** 2 + (configuration["z"] != "a")
        return Outcome({"near": configuration["x"] ** 2 + off, "far": (1 - configuration["x"]) ** 2 + off})

    history = run("genetic", answer, 150, objectives=goals)
    losses = loss_table(history.trials, history.objectives)
    front = losses[fronts(losses) == 0]
    assert len(front) > 15
    assert np.ptp(front[:, 0]) > 0.7


def test_steps_beyond_a_bound_come_back_inside() -> None:
    np.testing.assert_allclose(reflected(np.array([-0.2, 0.4, 1.3, 2.4, -7.5])), [0.2, 0.4, 0.7, 0.4, 0.5])
