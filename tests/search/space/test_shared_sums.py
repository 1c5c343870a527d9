"""Parameters that share a total: every proposal keeps it, whatever the method, and none is made twice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pegbox.schemas.history import History
from pegbox.schemas.space import Space
from pegbox.search.methods import check_search
from pegbox.search.narrowed_space import study_strategy
from pegbox.search.simulation import Outcome, Simulation
from pegbox.search.space.shared_sums import SharedSums
from pegbox.testing.studies import study

SPACE = {
    "a": {"min": 0.0, "max": 1.0},
    "lr": {"min": 1e-4, "max": 1.0, "log": True},
    "b": {"min": 0.1, "max": 0.7},
    "c": {"min": -1.0, "max": 0.5},
    "sum": {"of": ["a", "b", "c"], "is": 0.9},
}
METHODS = ["random", "sobol", "grid", "bayes", "genetic", "optuna:TPESampler", "hyperopt:tpe"]


def _hill(configuration, *_) -> Outcome:
    return Outcome({"loss": (configuration["a"] - 0.5) ** 2 + (configuration["b"] - 0.3) ** 2})


@pytest.mark.parametrize("method", METHODS)
def test_every_method_keeps_the_total_and_repeats_nothing(method: str) -> None:
    known = {"a": 0.4, "b": 0.2, "c": 0.3, "lr": 0.01}
    spec = study(SPACE, budget={"trials": 12}, search={"method": method, "enqueue": [known]})
    history = Simulation(study_strategy(spec), History(spec=spec), _hill).run()
    configurations = [dict(trial.configuration) for trial in history.trials]
    assert configurations[0] == pytest.approx(known)
    assert all(spec.space.contains(one) for one in configurations)
    assert len({tuple(one.items()) for one in configurations}) == 12


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=2))
def test_shares_become_values_and_come_back(thousandths: list[int]) -> None:
    sums = SharedSums(Space.model_validate(SPACE))
    shares = {"a": thousandths[0] / 1000, "b": thousandths[1] / 1000, "lr": 0.5}
    values = sums.to_values(shares)
    assert Space.model_validate(SPACE).contains(values)
    assert sums.to_values(sums.to_shares(values)) == pytest.approx(values, abs=1e-9)


def test_uniform_shares_are_uniform_on_the_simplex() -> None:
    names = ["a", "b", "c"]
    space = Space.model_validate({**{name: {"min": 0.0, "max": 1.0} for name in names}, "sum": {"of": names, "is": 1}})
    sums, rng = SharedSums(space), np.random.default_rng(0)
    drawn = [sums.to_values(dict(zip("ab", rng.random(2), strict=True))) for _ in range(4000)]
    means = [np.mean([one[name] for one in drawn]) for name in names]
    assert means == pytest.approx([1 / 3] * 3, abs=0.015)  # standard error .0037 each
    assert np.mean([one["c"] < 0.5 for one in drawn]) == pytest.approx(0.75, abs=0.03)


def test_a_known_configuration_off_the_total_is_refused() -> None:
    spec = study(SPACE, search={"method": "random", "enqueue": [{"a": 0.4, "b": 0.2, "c": 0.2, "lr": 0.01}]})
    assert "must add up to 0.9" in check_search(spec)[0].message


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sum": {"of": ["a", "d"], "is": 1}}, "unknown parameter 'd'"),
        ({"sum": {"of": ["a", "lr"], "is": 1}}, "plain real range"),
        ({"sum": [{"of": ["a", "b"], "is": 1}, {"of": ["a", "c"], "is": 1}]}, "2 places"),
        ({"sum": {"of": ["a", "b", "c"], "is": 5}}, "cannot be searched at 5"),
        ({"forbid": [{"a": 0.5}]}, "neither a prior nor a place in forbid"),
        ({"sum": {"of": ["a"], "is": 1}}, "at least 2"),
    ],
)
def test_a_sum_that_cannot_be_searched_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Space.model_validate({**SPACE, **change})


def test_a_parameter_may_be_called_sum() -> None:
    assert Space.model_validate({"sum": {"min": 0.0, "max": 1.0}}).order == ("sum",)
