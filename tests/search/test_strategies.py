"""Samplers, schedules and planners together, as the flow asks them."""

import subprocess
import sys
from typing import ClassVar

from pegbox.schemas.base import Configuration
from pegbox.schemas.history import History
from pegbox.search.methods import strategy_for
from pegbox.search.simulation import Outcome, Simulation
from pegbox.testing.strategies import StrategyContract
from pegbox.testing.studies import bowl, study

RUNGS = {"min": 1, "max": 9}


class TestFreezeThaw(StrategyContract):
    search: ClassVar = {"method": "freeze_thaw"}
    fidelity: ClassVar = RUNGS


class TestBayesWithAsha(StrategyContract):
    search: ClassVar = {"method": "bayes"}
    fidelity: ClassVar = {**RUNGS, "schedule": "asha"}


class TestBayesWithHyperband(StrategyContract):
    search: ClassVar = {"method": "bayes"}
    fidelity: ClassVar = {**RUNGS, "schedule": "hyperband"}


class TestGeneticWithMedian(StrategyContract):
    search: ClassVar = {"method": "genetic"}
    fidelity: ClassVar = {**RUNGS, "schedule": "median"}


class TestRandomToTheFull(StrategyContract):
    search: ClassVar = {"method": "random"}


class TestOptunaWithHalving(StrategyContract):
    search: ClassVar = {"method": "optuna:TPESampler", "options": {"n_startup_trials": 4}}
    fidelity: ClassVar = {**RUNGS, "schedule": "halving"}


def test_active_trials_are_followed_from_event_to_event() -> None:
    spec = study(fidelity={"schedule": "asha", "max": 9}, budget={"trials": 20}, search={"method": "random"})
    simulation = Simulation(strategy_for(spec), History(spec=spec), bowl, 3)
    while not simulation.done:
        history = simulation.run(1)
        unseen = History(spec=spec, trials=history.trials)
        assert (history.active, history.running) == (unseen.active, unseen.running)


def test_several_objectives_and_a_constraint_have_rungs() -> None:
    goals = ({"metric": "near"}, {"metric": "far"})
    space = {"x": {"min": 0.0, "max": 1.0}, "y": {"min": 0.0, "max": 1.0}}
    limited = {"objectives": goals, "constraints": ({"metric": "size", "max": 0.5},), "budget": {"trials": 15}}
    spec = study(space, search={"method": "bayes"}, fidelity={**RUNGS, "schedule": "asha"}, **limited)

    def answer(configuration: Configuration, _: int, to_budget: int) -> Outcome:
        x, y = float(str(configuration["x"])), float(str(configuration["y"]))
        return Outcome({"near": x**2 + 1 / to_budget, "far": (1 - x) ** 2 + 1 / to_budget, "size": y})

    history = Simulation(strategy_for(spec), History(spec=spec), answer, workers=4).run()
    assert history.completed
    assert all(history.is_feasible(trial) for trial in history.completed)


def test_the_first_ask_loads_no_scipy() -> None:
    program = (
        "import sys; import numpy; from pegbox.schemas.history import History\n"
        "from pegbox.testing.studies import study\n"
        "from pegbox.search.methods import strategy_for\n"
        "spec = study({'x': {'min': 0.0, 'max': 1.0}}, search={'method': 'bayes'})\n"
        "print(strategy_for(spec).next(History(spec=spec), numpy.random.default_rng(0)).kind, 'scipy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["start", "False"]
