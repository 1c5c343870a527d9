"""Domains hold what they say, and conditions and forbidden combinations decide what a configuration may be."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pegbox.schemas.base import EntryError
from pegbox.schemas.domains import Categorical, Constant, Float, Integer, Ordinal
from pegbox.schemas.space import Space

MOMENTUM = {"min": 0.0, "max": 0.99, "when": {"optimizer": "sgd"}}
NESTED = Space(
    optimizer=["adamw", "sgd"],
    nesterov={"values": [True, False], "when": {"optimizer": "sgd"}},
    momentum={"min": 0.5, "max": 0.99, "when": {"nesterov": True}},
)


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ({"min": 0, "max": 1}, Float),
        ({"min": 1, "max": 4, "int": True}, Integer),
        ({"min": 1, "max": 4, "power_of_two": True}, Integer),
        ([1, 2], Categorical),
        ({"values": ["a"]}, Categorical),
        ({"values": ["a", "b"], "ordered": True}, Ordinal),
        (3, Constant),
        (None, Constant),
        ({"value": [64, 64]}, Constant),
    ],
)
def test_each_way_of_writing_means_its_domain(written, kind):
    assert type(Space(p=written).parameters["p"]) is kind


@pytest.mark.parametrize(
    ("domain", "inside", "outside"),
    [
        (Float(min=0, max=1), [0, 0.5, 1], [-0.1, 1.1, True, "0.5", None, math.nan]),
        (Float(min=0, max=1, step=0.25), [0, 0.25, 1], [0.3]),
        (Float(min=0.1, max=0.7, step=0.2), [0.1, 0.3, 0.5, 0.7], [0.2, 0.6]),
        (Float(min=1e-5, max=1, log=True, extra=(0.0,)), [0, 1e-5, 1], [1e-6, -1]),
        (Integer(min=1, max=9), [1, 9, 3.0], [0, 10, 1.5, True, "3"]),
        (Integer(min=1, max=9, step=3), [1, 4, 7], [2, 9]),
        (Integer(min=4, max=32, power_of_two=True, extra=(0,)), [0, 4, 8, 32], [5, 2, 64]),
        (Categorical(values=("a", 1, True, None)), ["a", 1, 1.0, True, None], ["b", 0, False]),
        (Categorical(values=((64, 64), (128,))), [(64, 64), (128,)], [(64,), 64]),
        (Ordinal(values=("s", "m")), ["s", "m"], ["l"]),
        (Constant(value=3), [3, 3.0], [4, True]),
    ],
)
def test_a_domain_holds_exactly_its_values(domain, inside, outside):
    assert [value for value in inside if not domain.contains(value)] == []
    assert [value for value in outside if domain.contains(value)] == []


@pytest.mark.parametrize(
    "written",
    [
        {"min": 1, "max": 1},
        {"min": 2, "max": 1},
        {"min": 0, "max": 1, "log": True},
        {"min": 0, "max": 1, "step": 2},
        {"min": 0, "max": 1, "step": 0},
        {"min": -math.inf, "max": 1},
        {"min": 1, "max": 6, "power_of_two": True},
        {"min": 1, "max": 8, "power_of_two": True, "step": 1},
        {"min": 1.5, "max": 6, "int": True},
        {"min": 1, "max": 2, "values": [1]},
        [],
        [1, 1.0],
        {},
    ],
)
def test_a_domain_without_sense_is_refused(written):
    with pytest.raises(ValidationError):
        Space(p=written)


def test_one_and_true_are_two_values():
    assert Space(p=[1, True]).parameters["p"].values == (1, True)


def test_parents_come_before_children_whatever_the_order_written():
    space = Space(momentum=MOMENTUM, optimizer=["adamw", "sgd"])

    assert tuple(space.names()) == ("optimizer", "momentum")


def test_a_child_of_an_inactive_parent_is_inactive():
    assert NESTED.is_active("momentum", {"optimizer": "sgd", "nesterov": True})
    assert not NESTED.is_active("momentum", {"optimizer": "sgd", "nesterov": False})
    assert not NESTED.is_active("momentum", {"optimizer": "adamw"})


@pytest.mark.parametrize(
    ("configuration", "belongs"),
    [
        ({"optimizer": "adamw"}, True),
        ({"optimizer": "adamw", "nesterov": True}, False),
        ({"optimizer": "sgd"}, False),
        ({"optimizer": "sgd", "nesterov": False}, True),
        ({"optimizer": "sgd", "nesterov": True, "momentum": 0.9}, True),
        ({"optimizer": "sgd", "nesterov": True, "momentum": 0.1}, False),
        ({"optimizer": "lion"}, False),
        ({}, False),
    ],
)
def test_a_configuration_sets_exactly_what_is_active(configuration, belongs):
    assert NESTED.contains(configuration) is belongs


def test_a_forbidden_combination_holds_where_all_its_entries_hold():
    space = Space(
        lr={"min": 0.0, "max": 1.0}, optimizer=["adamw", "sgd"], forbid=[{"optimizer": "sgd", "lr": {"min": 0.5}}]
    )

    assert space.is_forbidden({"optimizer": "sgd", "lr": 0.5})
    assert not space.is_forbidden({"optimizer": "sgd", "lr": 0.4})
    assert not space.is_forbidden({"optimizer": "adamw", "lr": 0.5})
    assert not space.contains({"optimizer": "sgd", "lr": 0.5})


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ({"m": {**MOMENTUM}}, ("m", "when", "optimizer")),
        ({"optimizer": ["adamw"], "m": MOMENTUM}, ("m", "when", "optimizer")),
        ({"a": {"value": 1, "when": {"b": 2}}, "b": {"value": 2, "when": {"a": 1}}}, ("a", "when")),
        ({"a": 1, "forbid": [{"a": 1}, {"b": 1}]}, ("forbid", 1, "b")),
    ],
)
def test_a_broken_condition_knows_its_entry(written, at):
    with pytest.raises(ValidationError) as caught:
        Space.model_validate(written)

    cause = caught.value.errors()[0]["ctx"]["error"]
    assert isinstance(cause, EntryError)
    assert cause.at == at


@pytest.mark.parametrize("name", ["", " ", "parameters"])
def test_name_that_no_parameter_can_have_is_refused(name):
    with pytest.raises(ValidationError, match="parameter"):
        Space.model_validate({name: {"min": 0.0, "max": 1.0}})


def test_a_preset_needs_no_parameter():
    assert Space(preset="mlp").parameters == {}


bounds = st.tuples(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6)).filter(lambda pair: pair[0] * 1.001 < pair[1])
domains = st.one_of(
    bounds.map(lambda pair: {"min": pair[0], "max": pair[1], "log": True}),
    bounds.map(lambda pair: {"min": -pair[1], "max": -pair[0], "extra": [0.0]}),
    st.tuples(st.integers(-99, 99), st.integers(1, 99)).map(lambda p: {"min": p[0], "max": p[0] + p[1], "int": True}),
    st.lists(st.one_of(st.text(), st.integers(), st.booleans(), st.none()), min_size=2, unique_by=repr),
    st.one_of(st.text().map(lambda text: {"value": text}), st.integers(), st.none(), st.booleans()),
)


@given(
    st.dictionaries(
        st.text(min_size=1).filter(lambda name: name.strip() and name not in {"forbid", "preset", "parameters"}),
        domains,
        min_size=1,
    )
)
def test_a_space_survives_json_whatever_its_names(written):
    space = Space.model_validate(written)

    assert Space.model_validate_json(space.model_dump_json()) == space
    assert set(space.names()) == set(written)
