"""Samplers, schedules and planners together, as the flow asks them."""

from typing import ClassVar

from pegbox.testing.strategies import StrategyContract

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
