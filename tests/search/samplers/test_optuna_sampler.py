"""Optuna's samplers behind our seam."""

from typing import ClassVar

import optuna
import pytest

from pegbox.schemas.history import History
from pegbox.search.methods import check_search, strategy_for
from pegbox.search.simulation import Simulation
from pegbox.testing.samplers import SamplerContract
from pegbox.testing.studies import bowl, study


class TestOptunaTpe(SamplerContract):
    method = "optuna:TPESampler"
    options: ClassVar = {"n_startup_trials": 5, "multivariate": True}


class TestOptunaRandom(SamplerContract):
    method = "optuna:RandomSampler"


class TestOptunaNsga(SamplerContract):
    method = "optuna:NSGAIISampler"
    options: ClassVar = {"population_size": 4}


class TestOptunaQmc(SamplerContract):
    method = "optuna:QMCSampler"


def test_optunas_gaussian_process_runs() -> None:
    spec = study(search={"method": "optuna:GPSampler", "options": {"n_startup_trials": 4}}, budget={"trials": 6})
    assert len(Simulation(strategy_for(spec), History(spec=spec), bowl).run().completed) == 6


def test_an_unknown_sampler_is_answered_with_the_nearest() -> None:
    problems = check_search(study(search={"method": "optuna:TPSampler"}))
    assert "Did you mean 'TPESampler'?" in problems[0].message


def test_an_unknown_argument_is_answered_with_the_nearest() -> None:
    spec = study(search={"method": "optuna:TPESampler", "options": {"n_startup_trial": 5}})
    assert "Did you mean 'n_startup_trials'?" in check_search(spec)[0].message


@pytest.mark.parametrize("name", ["GridSampler", "PartialFixedSampler"])
def test_a_sampler_that_needs_objects_is_refused(name: str) -> None:
    assert "cannot be built" in check_search(study(search={"method": f"optuna:{name}"}))[0].message


def test_the_log_level_of_optuna_is_left_alone() -> None:
    before = optuna.logging.get_verbosity()
    spec = study(search={"method": "optuna:RandomSampler"}, budget={"trials": 2})
    Simulation(strategy_for(spec), History(spec=spec), bowl).run()
    assert optuna.logging.get_verbosity() == before
