"""Samplers and schedules of the user's: found by import path, held to what every one keeps."""

import sys
from pathlib import Path
from typing import Any

import pytest

from pegbox.schemas.errors import SearchError
from pegbox.schemas.history import History
from pegbox.search.methods import check_search, strategy_for
from pegbox.search.simulation import Simulation
from pegbox.testing.samplers import SamplerContract
from pegbox.testing.schedules import ScheduleContract
from pegbox.testing.studies import bowl, study

MODULE = """
from pegbox.schemas.decision import Continue, Wait
from pegbox.search.schedules.rungs import idle, next_paused
from pegbox.search.space.encoding import SpaceEncoding
from pegbox.search.strategy import Begin


class Drawn:
    def __init__(self, spec, low=0.0):
        self.encoding, self.low = SpaceEncoding(spec.space), low

    def propose(self, history, count, rng):
        return [self.encoding.decode(self.low + (1 - self.low) * rng.random(self.encoding.n_dims))]


class Outside(Drawn):
    def propose(self, history, count, rng):
        return [{**super().propose(history, count, rng)[0], "dropout": 7.0}]


class Empty(Drawn):
    def propose(self, history, count, rng):
        return []


class Stepwise:
    def __init__(self, spec):
        self.first, self.full = spec.rungs[0], spec.full_budget

    def decide(self, history, can_begin):
        paused = next_paused(history.active)
        if paused is not None:
            return Continue(trial=paused.number, to_budget=self.full)
        return Begin(to_budget=self.first) if can_begin else idle(history)


class TooFar(Stepwise):
    def decide(self, history, can_begin):
        return Begin(to_budget=self.full + 1)


class Idle(Stepwise):
    def decide(self, history, can_begin):
        return Wait()


class NoVerb:
    def __init__(self, spec):
        pass


def make(spec):
    return Drawn(spec)


number = 3
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_methods.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "my_methods", raising=False)


class TestDrawn(SamplerContract):
    method = "my_methods:Drawn"


class TestStepwise(ScheduleContract):
    schedule = "my_methods:Stepwise"


def _run(**settings: Any) -> History:
    spec = study(None, **settings)
    return Simulation(strategy_for(spec), History(spec=spec), bowl).run()


def test_options_reach_the_sampler() -> None:
    history = _run(search={"method": "my_methods:Drawn", "options": {"low": 0.5}}, budget={"trials": 6})
    assert all(float(str(trial.configuration["dropout"])) >= 0.3 for trial in history.trials)


def test_a_function_may_make_the_sampler() -> None:
    assert len(_run(search={"method": "my_methods:make"}, budget={"trials": 3}).trials) == 3


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"search": {"method": "my_methods:Outside"}}, "'dropout': 7.0"),
        ({"search": {"method": "my_methods:Empty"}}, "a list of one configuration"),
        ({"search": {"method": "my_methods:Drawn", "options": {"high": 1}}}, "high"),
        ({"fidelity": {"schedule": "my_methods:TooFar"}, "search": {"method": "random"}}, "between 1 and 9"),
        ({"fidelity": {"schedule": "my_methods:Idle"}, "search": {"method": "random"}}, "nothing runs"),
    ],
)
def test_what_breaks_the_contract_ends_the_search_by_name(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(SearchError, match=said):
        _run(budget={"trials": 3}, **settings)


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("my_methods:Drwan", "Did you mean 'Drawn'"),
        ("my_methods:number", "no class or function 'number'"),
        ("my_methods:NoVerb", "no method 'propose'"),
        ("nowhere:Mine", "cannot be imported"),
    ],
)
def test_an_import_path_that_leads_nowhere_is_a_problem(method: str, said: str) -> None:
    problem = check_search(study(None, search={"method": method}))[0]
    assert said in problem.message
    assert problem.path == ("search", "method")


def test_a_schedule_that_leads_nowhere_is_a_problem() -> None:
    spec = study(None, fidelity={"schedule": "nowhere:Mine"}, search={"method": "random"})
    assert check_search(spec)[0].path == ("fidelity", "schedule")
