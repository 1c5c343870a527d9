"""The unit cube and back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pegbox.schemas.domains import Float, Integer
from pegbox.search.space.axes import axis_of
from pegbox.search.space.encoding import SpaceEncoding
from pegbox.testing.studies import MIXED, study

ENCODING = SpaceEncoding(study().space)
UNITS = st.floats(0, 1)
# Numbers closer than the encoding tells apart are left out: they may or may not meet a condition such as `when: 0.9`.
COARSE = st.integers(0, 10**9).map(lambda part: part / 10**9)
POINTS = st.lists(COARSE, min_size=ENCODING.n_dims, max_size=ENCODING.n_dims).map(np.array)
BOUNDS = st.tuples(st.floats(-1e9, 1e9), st.floats(1e-2, 1e9)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(POINTS)
def test_decoding_an_encoded_point_gives_the_same_configuration(point: np.ndarray) -> None:
    configuration = ENCODING.decode(point)
    assert ENCODING.decode(ENCODING.encode(configuration)) == configuration


@given(POINTS)
def test_every_point_decodes_into_its_domains(point: np.ndarray) -> None:
    configuration = ENCODING.decode(point)
    assert ENCODING.space.contains(configuration) or ENCODING.space.is_forbidden(configuration)


@given(POINTS)
def test_snapping_agrees_with_decoding_and_encoding(point: np.ndarray) -> None:
    snapped = ENCODING.snap(point[None])[0]
    np.testing.assert_allclose(snapped, ENCODING.encode(ENCODING.decode(point)), atol=1e-9)


@given(POINTS)
def test_snapping_twice_changes_nothing(point: np.ndarray) -> None:
    snapped = ENCODING.snap(point[None])
    np.testing.assert_array_equal(ENCODING.snap(snapped), snapped)


@given(POINTS)
def test_forbidden_points_are_forbidden_configurations(point: np.ndarray) -> None:
    allowed = bool(ENCODING.allowed(ENCODING.snap(point[None]))[0])
    assert allowed != ENCODING.space.is_forbidden(ENCODING.decode(point))


@given(BOUNDS, UNITS)
def test_linear_range_round_trips_exactly(bounds: tuple[float, float], unit: float) -> None:
    axis = axis_of(Float(min=bounds[0], max=bounds[1]))
    value = axis.value(unit)
    assert axis.value(axis.unit(value)) == value


@given(st.floats(1e-12, 1), st.floats(1.0001, 1e12), UNITS)
def test_log_range_round_trips_exactly(low: float, ratio: float, unit: float) -> None:
    axis = axis_of(Float(min=low, max=low * ratio, log=True))
    value = axis.value(unit)
    assert axis.value(axis.unit(value)) == value


@settings(max_examples=50)
@given(st.integers(1, 1000), st.integers(1, 2000), st.booleans())
def test_each_whole_number_round_trips(low: int, width: int, log: bool) -> None:
    axis = axis_of(Integer(min=low, max=low + width, log=log))
    numbers = list(range(low, low + width + 1))
    assert [axis.value(axis.unit(number)) for number in numbers] == numbers


@given(st.integers(-800, 800), st.integers(1, 10_000), st.integers(2, 300))
def test_each_step_of_a_range_round_trips_and_belongs_to_it(eighths: int, thousandths: int, n_steps: int) -> None:
    low, step = eighths / 8, thousandths / 1000
    domain = Float(min=low, max=low + step * n_steps, step=step)
    axis = axis_of(domain)
    values = [axis.value((cell + 0.5) / axis.n_values) for cell in range(axis.n_values)]
    assert axis.n_values == n_steps + 1
    assert all(domain.contains(value) for value in values)
    assert [axis.value(axis.unit(value)) for value in values] == values


@pytest.mark.parametrize("value", [0.0, 2.0, 1e-6, 1e-2, 3e-4])
def test_extra_values_beside_a_log_range_round_trip(value: float) -> None:
    axis = axis_of(Float(min=1e-6, max=1e-2, log=True, extra=(0.0, 2.0)))
    assert axis.value(axis.unit(value)) == pytest.approx(value, rel=1e-11, abs=0)


def test_extra_values_take_a_share_of_random_points() -> None:
    axis = axis_of(Float(min=1e-6, max=1e-2, log=True, extra=(0.0,)))
    values = [axis.value(unit) for unit in np.linspace(0, 1, 1001)]
    assert 90 < values.count(0.0) < 110


def test_true_and_one_are_two_values() -> None:
    encoding = SpaceEncoding(study({"a": [True, 1, "1", None]}).space)
    units = [0.125, 0.375, 0.625, 0.875]
    decoded = [encoding.decode(np.array([unit]))["a"] for unit in units]
    assert [type(value) for value in decoded] == [bool, int, str, type(None)]
    assert len({encoding.key({"a": value}) for value in decoded}) == 4


def test_one_and_one_point_zero_are_one_configuration() -> None:
    encoding = SpaceEncoding(study({"a": {"min": 0.0, "max": 2.0}}).space)
    assert encoding.key({"a": 1}) == encoding.key({"a": 1.0})


def test_a_tuple_is_one_value() -> None:
    encoding = SpaceEncoding(study({"units": [[64, 64], [128]]}).space)
    assert encoding.decode(np.array([0.25])) == {"units": (64, 64)}


def test_a_child_of_an_inactive_parent_is_inactive() -> None:
    space = {"a": ["x", "y"], "b": {"values": [1, 2], "when": {"a": "x"}}, "c": {"values": [1, 2], "when": {"b": 1}}}
    encoding = SpaceEncoding(study(space).space)
    assert np.isnan(encoding.snap(np.array([[0.9, 0.1, 0.1]]))[0, 1:]).all()


def test_the_mixed_space_of_the_contracts_has_every_kind_of_domain() -> None:
    kinds = {type(domain).__name__ for domain in study(MIXED).space.parameters.values()}
    assert kinds == {"Float", "Integer", "Categorical", "Ordinal", "Constant"}
