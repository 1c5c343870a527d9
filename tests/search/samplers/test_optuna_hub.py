"""Samplers of OptunaHub."""

from pathlib import Path

import pytest

from pegbox.schemas.history import History
from pegbox.search.methods import check_search, strategy_for
from pegbox.search.samplers.optuna_hub import REGISTRY
from pegbox.search.simulation import Simulation
from pegbox.testing.studies import bowl, study

pytest.importorskip("optunahub")

SAMPLER = """
import optuna

class MiddleSampler(optuna.samplers.RandomSampler):
    def __init__(self, share=0.5, seed=None):
        super().__init__(seed)
        self.share = share

    def sample_independent(self, study, trial, name, distribution):
        if isinstance(distribution, optuna.distributions.FloatDistribution):
            return distribution.low + self.share * (distribution.high - distribution.low)
        return super().sample_independent(study, trial, name, distribution)
"""


@pytest.fixture(autouse=True)
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OPTUNAHUB_CACHE_HOME", str(tmp_path))
    folder = tmp_path / REGISTRY / "samplers" / "middle"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(SAMPLER)
    return folder


def test_a_fetched_package_proposes() -> None:
    search = {"method": "optuna:hub/samplers/middle", "options": {"share": 0.25}}
    space = {"x": {"min": 0.0, "max": 1.0}, "n": {"min": 1, "max": 50, "int": True}}
    spec = study(space, search=search, budget={"trials": 3})
    history = Simulation(strategy_for(spec), History(spec=spec), bowl).run()
    assert [trial.configuration["x"] for trial in history.trials] == [0.25] * 3


def test_a_package_that_was_not_fetched_is_named_with_the_way_to_it() -> None:
    (problem,) = check_search(study(search={"method": "optuna:hub/samplers/hebo"}))
    assert "'samplers/hebo' of OptunaHub has not been fetched" in problem.message
    assert "optunahub.load_module('samplers/hebo')" in problem.message


def test_an_unknown_argument_is_answered_with_the_nearest() -> None:
    search = {"method": "optuna:hub/samplers/middle", "options": {"shares": 0.5}}
    assert "Did you mean 'share'?" in check_search(study(search=search))[0].message


def test_a_package_without_a_sampler_is_refused(packages: Path) -> None:
    (packages / "__init__.py").write_text("answer = 42")
    assert "holds no sampler" in check_search(study(search={"method": "optuna:hub/samplers/middle"}))[0].message


def test_a_path_out_of_the_registry_is_refused() -> None:
    assert "not been fetched" in check_search(study(search={"method": "optuna:hub/../middle"}))[0].message
