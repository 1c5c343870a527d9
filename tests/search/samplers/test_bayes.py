"""Bayesian optimisation."""

from typing import Any

import numpy as np

from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.history import History
from pegbox.search.methods import sampler_for, strategy_for
from pegbox.search.simulation import Outcome, Simulation
from pegbox.testing.samplers import SamplerContract
from pegbox.testing.studies import study

SQUARE = {"x": {"min": 0.0, "max": 1.0}, "y": {"min": 0.0, "max": 1.0}}


class TestBayesSampler(SamplerContract):
    method = "bayes"


def run(answer: Any, trials: int, space: dict[str, Any] | None = None, workers: int = 1, **changes: Any) -> History:
    spec = study(space or SQUARE, search={"method": "bayes"}, budget={"trials": trials}, **changes)
    return Simulation(strategy_for(spec), History(spec=spec), answer, workers).run()


def valley(configuration: Any, *_: int) -> Outcome:
    return Outcome({"loss": (configuration["x"] - 0.37) ** 2 + (configuration["y"] - 0.61) ** 2})


def test_it_finds_the_floor_of_a_valley_in_twenty_trials() -> None:
    assert min(trial.value("loss") or 0.0 for trial in run(valley, 20).completed) < 1e-3


def test_four_workers_find_it_too() -> None:
    assert min(trial.value("loss") or 0.0 for trial in run(valley, 24, workers=4).completed) < 5e-3


def test_running_trials_push_the_next_away() -> None:
    history = run(valley, 5)
    first, second = sampler_for(history.spec).propose(history, 2, np.random.default_rng(0))
    assert max(abs(first[name] - second[name]) for name in SQUARE) > 0.01


def test_a_conditional_optimum_is_found() -> None:
    space = {"kind": ["a", "b"], "x": {"min": 0.0, "max": 1.0, "when": {"kind": "b"}}}
    history = run(lambda c, *_: Outcome({"loss": (c["x"] - 0.8) ** 2 if c["kind"] == "b" else 0.2}), 20, space)
    best = min(history.completed, key=lambda trial: trial.value("loss") or 0.0)
    assert best.configuration["kind"] == "b"
    assert abs(float(str(best.configuration["x"])) - 0.8) < 0.05


def test_a_region_that_fails_is_left_alone() -> None:
    def answer(configuration: Any, *_: int) -> Outcome:
        if configuration["x"] > 0.5:
            return Outcome(Failure(kind=FailureKind.OUT_OF_MEMORY, message="Too large."))
        return valley(configuration)

    later = [t for seed in (0, 1) for t in run(answer, 40, seed=seed).failed if t.number >= 20]
    assert len(later) <= 12  # of 40; random search fails at half


def test_a_killed_trial_says_nothing_about_its_configuration() -> None:
    def answer(configuration: Any, *_: int) -> Outcome:
        killed = Failure(kind=FailureKind.KILLED, message="The worker was ended from outside.")
        return Outcome(killed) if configuration["x"] < 0.5 else valley(configuration)

    history = run(answer, 16)
    assert any(float(str(trial.configuration["x"])) < 0.5 for trial in history.trials[8:])


def test_two_objectives_cover_their_front() -> None:
    goals = ({"metric": "near"}, {"metric": "far"})

    def answer(configuration: Any, *_: int) -> Outcome:
        x, off = configuration["x"], (configuration["y"] - 0.5) ** 2
        return Outcome({"near": x**2 + off, "far": (1 - x) ** 2 + off})

    history = run(answer, 30, objectives=goals)
    late = [trial.configuration for trial in history.trials[15:]]
    assert np.mean([abs(float(str(configuration["y"])) - 0.5) < 0.15 for configuration in late]) > 0.6
    assert np.ptp([float(str(configuration["x"])) for configuration in late]) > 0.5


def test_a_resumed_study_goes_on_with_the_same_proposals() -> None:
    whole = run(valley, 16)
    spec = whole.spec
    half = Simulation(strategy_for(spec), History(spec=spec), valley).run(max_steps=9)
    resumed = Simulation(strategy_for(spec), half, valley).run()
    assert [trial.configuration for trial in resumed.trials] == [trial.configuration for trial in whole.trials]


def test_low_rungs_inform_the_full_budget() -> None:
    def answer(configuration: Any, _: int, to_budget: int) -> Outcome:
        apart = (configuration["x"] - 0.37) ** 2 + (configuration["y"] - 0.61) ** 2
        return Outcome({"loss": apart + 1 / to_budget})

    history = run(answer, 30, fidelity={"schedule": "asha", "min": 1, "max": 9})
    assert min(trial.value("loss") or 0.0 for trial in history.completed) < 1 / 9 + 0.01


def test_points_of_low_rungs_are_not_proposed_again_and_again() -> None:
    fidelity = {"schedule": "asha", "max": 9}
    history = run(lambda c, _, to: Outcome({"loss": 3 * (c["x"] - 0.3) ** 2 + 5 / to}), 30, fidelity=fidelity)
    late = np.array([[trial.configuration["x"], trial.configuration["y"]] for trial in history.trials[15:]])
    apart = np.abs(late[:, None] - late).max(axis=2) + np.eye(len(late))
    # Half of them have a neighbour nearer than 0.0005 where unfinished trials are not believed.
    assert np.median(apart.min(axis=1)) > 0.01
