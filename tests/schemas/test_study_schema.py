"""The JSON Schema that editors read says what pydantic says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pegbox.schemas.study_file import read_study
from pegbox.schemas.study_schema import study_schema
from pegbox.schemas.yaml_text import parse_yaml

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("*.yaml"))
STUDY = {
    "name": "x",
    "data": {"source": "sklearn:digits", "target": "target"},
    "train": {"kind": "mlp", "epochs": 27},
    "space": {"lr": {"min": 1e-5, "max": 1e-1, "log": True}},
    "objective": {"metric": "val_loss"},
    "budget": {"trials": 3},
}
VALIDATOR = Draft202012Validator(study_schema())


def properties(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, section in {"study": schema, **schema["$defs"]}.items():
        for key, value in section.get("properties", {}).items():
            yield f"{name}.{key}", value


def test_it_is_a_json_schema():
    Draft202012Validator.check_schema(study_schema())


def test_every_section_and_key_is_described():
    schema = study_schema()

    bare = [name for name, value in properties(schema) if not value.get("description")]
    bare += [name for name, section in schema["$defs"].items() if not section.get("description")]

    assert bare == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_example_studies_fit_the_schema(path):
    VALIDATOR.validate(parse_yaml(path.read_text()).value)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_example_studies_can_be_read(path):
    assert read_study(path).spec.name


@pytest.mark.parametrize(
    "space",
    [
        {"batch_size": [32, 64]},
        {"widths": [[64, 64], [128]]},
        {"layers": 3},
        {"activation": "relu"},
        {"bias": True},
        {"nothing": None},
        {"units": {"min": 32, "max": 1024, "log": True, "int": True, "extra": [0]}},
        {"units": {"min": 32, "max": 1024, "int": True, "power_of_two": True}},
        {"size": {"values": ["s", "m", "l"], "ordered": True}},
        {"lr": {"value": 0.1}},
        {"optimizer": ["adamw", "sgd"], "momentum": {"min": 0, "max": 0.99, "when": {"optimizer": "sgd"}}},
        {"lr": [1, 2], "forbid": [{"lr": {"min": 2}}]},
        {"preset": "mlp"},
    ],
)
def test_each_form_of_a_parameter_fits(space):
    VALIDATOR.validate({**STUDY, "space": space})


@pytest.mark.parametrize(
    "change",
    [
        {"space": {"lr": {"low": 1, "max": 2}}},
        {"space": {"lr": {"min": 1}}},
        {"space": {}},
        {"space": {"preset": 3}},
        {"space": {"lr": [1], "forbid": 3}},
        {"epochs": 3},
        {"train": {"kind": "mpl"}},
        {"budget": {"trials": 0}},
        {"objectives": [{"metric": "val_loss"}]},
    ],
)
def test_what_pegbox_refuses_the_editor_marks(change):
    assert not VALIDATOR.is_valid({**STUDY, **change})


def test_an_editors_schema_key_is_allowed():
    VALIDATOR.validate({"$schema": "./study.schema.json", **STUDY})
