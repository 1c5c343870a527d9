"""Domains: distributions, steps on a log scale, arrangements, and texts that were meant as ranges."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pegbox.schemas.domains import Constant, Float, Integer, Permutation, Subset, read_domain


def test_a_normal_without_bounds_ends_at_four_deviations() -> None:
    domain = read_domain({"normal": {"mean": 1.0, "std": 0.5}})
    assert isinstance(domain, Float)
    assert (domain.min, domain.max, domain.log) == (-1.0, 3.0, False)


def test_a_bound_truncates_only_its_own_side() -> None:
    domain = read_domain({"lognormal": {"mean": 0.0, "std": 1.0}, "max": 2.0})
    assert isinstance(domain, Float)
    assert (domain.min, domain.max, domain.log) == (math.exp(-4), 2.0, True)


def test_a_normal_of_whole_numbers_ends_at_whole_numbers() -> None:
    domain = read_domain({"normal": {"mean": 10.2, "std": 1.0}, "int": True})
    assert isinstance(domain, Integer)
    assert (domain.min, domain.max) == (6, 15)


def test_a_subset_lists_its_choices_in_the_order_written() -> None:
    domain = read_domain({"subset": ["a", "b", "c"], "min": 1, "max": 2})
    assert isinstance(domain, Subset)
    assert domain.values == (("a",), ("b",), ("c",), ("a", "b"), ("a", "c"), ("b", "c"))


def test_a_permutation_lists_every_order() -> None:
    domain = read_domain({"permutation": [1, 2, 3]})
    assert isinstance(domain, Permutation)
    assert len(domain.values) == 6
    assert domain.contains((3, 1, 2))
    assert not domain.contains((1, 2))


@pytest.mark.parametrize(
    "written",
    [
        {"normal": {"mean": 0.0, "std": 1.0}, "min": 0.0},
        {"lognormal": {"mean": -7.0, "std": 1.0}, "step": 0.001, "min": 0.001},
        {"permutation": ["x", "y"]},
        {"subset": ["x", "y"], "min": 1},
        {"min": 16, "max": 512, "int": True, "log": True, "step": 16},
    ],
)
def test_a_domain_is_read_again_as_it_was_dumped(written: object) -> None:
    domain = read_domain(written)
    assert read_domain(domain.model_dump(mode="json", exclude_unset=True)) == domain


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"normal": {"mean": 0, "std": 1}, "lognormal": {"mean": 0, "std": 1}}, "exclude each other"),
        ({"normal": {"mean": 0, "std": 1}, "log": True}, "Drop `log`"),
        ({"lognormal": {"mean": 0, "std": 1}, "log": False}, "Drop `log`"),
        ({"normal": {"mean": 0, "std": 0}}, "greater than 0"),
        ({"normal": {"mean": 0, "std": 1}, "min": 10, "max": 12}, "almost nothing"),
        ({"lognormal": {"mean": 0, "std": 300}}, "more than a double holds"),
        ({"normal": {"mean": 4, "std": 1}, "min": 1, "max": 8, "power_of_two": True}, "power_of_two excludes"),
        ({"min": -1e308, "max": 1e308}, "Narrow the range"),
        ({"min": 9007199254740993.0, "max": 9007199254741000.0}, "int: true"),
        ({"min": 1e9, "max": 1e9 + 1e-6}, "a double can tell apart"),
        ({"permutation": list(range(7))}, "at most 1024 orders"),
        ({"permutation": ["a", "a"]}, "appear once"),
        ({"subset": ["a"], "min": 2}, "from 0 to 1"),
        ({"subset": list(range(11))}, "at most 1024 subsets"),
    ],
)
def test_a_domain_that_cannot_be_searched_is_refused(written: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        read_domain(written)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("16..128", "{min: 16, max: 128}"),
        ("1e-4...1e-1", "{min: 1e-4, max: 1e-1}"),
        ("16 to 128", "{min: 16, max: 128}"),
        ("0.1:0.9", "{min: 0.1, max: 0.9}"),
        ("loguniform(1e-4, 1e-1)", "log: true"),
        ("tune.uniform(0, 1)", "for a range"),
        ("hp.choice('x', [1, 2])", "[a, b] for a choice"),
        ("range(1, 10)", "for a range"),
        ("sgd, adam", "[sgd, adam]"),
        ("sgd|adam", "[sgd, adam]"),
        ("[16, 32]", "without the quotes"),
        ("{min: 1, max: 2}", "without the quotes"),
    ],
)
def test_a_text_that_looks_like_a_range_is_refused_with_the_form(text: str, form: str) -> None:
    for written in (text, [text]):
        with pytest.raises(ValidationError) as caught:
            read_domain(written)
        assert form in str(caught.value)
    assert read_domain({"value": text}) == Constant(value=text)


@pytest.mark.parametrize(
    "text", ["relu", "a sentence, with commas", "C:/data", "v1.2", "2024-01-31", "2024-01", "16:9", "Conv2d(3)", ""]
)
def test_a_plain_text_stays_a_fixed_value(text: str) -> None:
    assert read_domain(text) == Constant(value=text)


@given(st.text())
def test_any_text_is_a_fixed_value_or_refused_with_a_form(text: str) -> None:
    try:
        found = read_domain(text)
    except ValidationError as error:
        found = str(error)
    assert found == Constant(value=text) or "looks like" in found
