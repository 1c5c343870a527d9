"""Axes of steps and distributions: there and back, and as often as they should be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pegbox.schemas.domains import read_domain
from pegbox.search.space.axes import axis_of

WRITTEN = [
    {"normal": {"mean": 0.1, "std": 2.0}},
    {"normal": {"mean": 0.1, "std": 2.0}, "min": 0.0, "max": 1.0},
    {"lognormal": {"mean": -7.0, "std": 1.0}},
    {"lognormal": {"mean": -7.0, "std": 1.0}, "max": 1e-3, "extra": [0.0]},
    {"normal": {"mean": 100.0, "std": 30.0}, "int": True, "min": 0, "step": 10},
    {"lognormal": {"mean": 4.0, "std": 1.0}, "int": True},
    {"normal": {"mean": 0.5, "std": 0.2}, "min": 0.0, "max": 1.0, "step": 0.05},
    {"min": 16, "max": 512, "int": True, "log": True, "step": 16},
    {"min": 1, "max": 100, "int": True, "log": True, "step": 7},
    {"min": 1e-5, "max": 1e-1, "log": True, "step": 1e-5},
    {"min": 0, "max": 2**63 - 1, "int": True},
    {"min": 2**53 + 1, "max": 2**53 + 1001, "int": True},
]


@pytest.mark.parametrize("written", WRITTEN, ids=str)
@settings(max_examples=40)
@given(unit=st.floats(0, 1))
def test_every_point_is_a_value_that_comes_back(written: object, unit: float) -> None:
    domain = read_domain(written)
    axis = axis_of(domain)
    value = axis.value(unit)
    assert domain.contains(value)
    if abs(float(value)) < 2**53:  # beyond, the unit interval cannot tell neighbours apart
        assert axis.value(axis.unit(value)) == value


@pytest.mark.parametrize("written", [one for one in WRITTEN if one.get("max", 0) < 2**50], ids=str)
def test_arrays_are_the_points_one_by_one(written: object) -> None:
    axis = axis_of(read_domain(written))
    units = np.linspace(0, 1, 101)
    assert axis.numbers(units.copy()) == pytest.approx([float(axis.value(unit)) for unit in units], rel=1e-6, abs=1e-9)
    assert axis.numbers(axis.snap(units.copy())) == pytest.approx(axis.numbers(units.copy()))


def test_even_points_are_a_normal_sample() -> None:
    axis = axis_of(read_domain({"normal": {"mean": 3.0, "std": 2.0}}))
    drawn = axis.numbers((np.arange(4000) + 0.5) / 4000)
    assert stats.kstest(drawn, stats.norm(3.0, 2.0).cdf).statistic < 0.001


def test_bounds_truncate_and_leave_the_shape() -> None:
    axis = axis_of(read_domain({"lognormal": {"mean": 0.0, "std": 1.0}, "min": 0.5, "max": 4.0}))
    drawn = np.log(axis.numbers((np.arange(4000) + 0.5) / 4000))
    assert stats.kstest(drawn, stats.truncnorm(np.log(0.5), np.log(4.0)).cdf).statistic < 0.001


def test_steps_on_a_log_scale_favour_the_low_ones() -> None:
    axis = axis_of(read_domain({"min": 10, "max": 1000, "int": True, "log": True, "step": 10}))
    drawn = axis.numbers((np.arange(10_000) + 0.5) / 10_000)
    assert set(drawn) <= set(range(10, 1001, 10))
    assert np.mean(drawn <= 100) == pytest.approx(np.log(105 / 5) / np.log(1005 / 5), abs=0.001)
