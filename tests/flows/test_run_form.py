"""The form of a scheduled study's run: every study fills it, and every field of it is one that a run looks at."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.utilities.schema_tools.validation import validate

from pegbox.flows.retune import retune
from pegbox.flows.run_form import CLOCK, form_of
from pegbox.flows.scheduling import schedule_of
from pegbox.schemas.errors import StudyError
from pegbox.schemas.study import StudySpec

ROOT = Path(__file__).parents[2]
NO_RUN_ROOMS = {"cli", "api", "page", "report", "testing", "integrations", "benchmarks", "tests", "docs", "examples"}
NO_RUN = {"scheduling.py", "run_form.py"}
"""Make deployments; a run does not come here."""
# Their values are fixed, or their names alone say which kind of domain or training is meant.
TAGS = {"kind", "int", "subset"}
WRITTEN = {"is": "total"}
"""How the code calls a field whose name in a file is a word of Python's."""
SPACES: tuple[dict[str, Any], ...] = (
    {"a": {"min": 0.0, "max": 1.0}, "b": {"min": 0.0, "max": 1.0}, "sum": {"of": ["a", "b"], "is": 1.0}},
    {"sum": {"min": 0, "max": 3}},
    {"forbid_": [1, 2], "x": [1, 2, None], "forbid": [{"x": 1}]},
    {"preset": "lora"},
    {"x": [1, 2], "y": {"min": 1, "max": 5, "int": True, "when": {"x": 2}}, "z": 3, "w": None},
    {
        "order": {"permutation": ["a", "b", "c"]},
        "some": {"subset": ["a", "b"], "min": 1},
        "lr": {"min": 1e-5, "max": 1},
    },
)


def _study(**changes: Any) -> StudySpec:
    sections = {
        "name": "hill",
        "train": {"kind": "function", "function": "hill:run"},
        "space": {"x": {"min": 0.0, "max": 1.0}},
        "objective": {"metric": "value"},
        "budget": {"trials": 3},
        "schedule": {"cron": "0 3 * * 1", "timezone": "Europe/London", "watch": "rows.csv", "tolerance": 0.5},
    }
    return StudySpec.model_validate(sections | changes)


@pytest.fixture(scope="module")
def form() -> dict[str, Any]:
    return retune.parameters.model_dump()


@pytest.mark.parametrize("space", SPACES, ids=["sum", "called-sum", "forbid", "preset", "when", "kinds"])
def test_every_space_fills_the_form_and_is_read_back(form: dict[str, Any], space: dict[str, Any]) -> None:
    spec = _study(space=space)

    filled = form_of(spec)

    validate({"spec": filled, "store": "store"}, form, raise_on_error=True)
    assert StudySpec.model_validate(filled).space == spec.space


def test_clock_is_not_asked_for_and_the_rest_of_the_schedule_is(form: dict[str, Any]) -> None:
    spec = _study()

    filled = form_of(spec)

    assert filled["schedule"] == {"watch": ["rows.csv"], "tolerance": 0.5}
    assert set(form["definitions"]["ScheduleSpec"]["properties"]) == {"watch", "always", "tolerance"}
    asked = StudySpec.model_validate(filled)
    assert asked.schedule is not None
    assert (asked.schedule.watch, asked.schedule.tolerance) == (("rows.csv",), 0.5)
    with pytest.raises(StudyError, match="says when it runs"):
        schedule_of(asked)


@pytest.mark.parametrize("field", sorted(CLOCK))
def test_clock_in_the_form_is_refused_by_the_server(form: dict[str, Any], field: str) -> None:
    filled = form_of(_study())
    filled["schedule"][field] = "0 3 * * 1"

    with pytest.raises(Exception, match=field):
        validate({"spec": filled, "store": "store"}, form, raise_on_error=True)


def test_preset_that_was_drawn_is_not_asked_for(form: dict[str, Any]) -> None:
    space = {"preset": {"kind": "mlp", "narrowed_by": ["monday"]}, "lr": {"min": 1e-5, "max": 0.1, "log": True}}

    filled = form_of(_study(space=space))

    validate({"spec": filled, "store": "store"}, form, raise_on_error=True)
    assert filled["space"] == {"parameters": form_of(_study(space={"lr": space["lr"]}))["space"]["parameters"]}


def test_every_field_of_the_form_is_read_by_the_code_of_a_run(form: dict[str, Any]) -> None:
    read = set(_names_read())

    shown = {(name, field) for name, one in form["definitions"].items() for field in one.get("properties", ())}
    unread = {(name, field) for name, field in shown if field not in TAGS and WRITTEN.get(field, field) not in read}

    assert len(shown) > 100
    assert unread == set()
    assert not {"cron", "timezone"} & read  # or this test could not fail for those that are hidden


def _names_read() -> Iterator[str]:
    """Attributes that code of a run takes, but for the validators, which look at all fields."""
    for room in sorted({path.parent.name for path in ROOT.glob("*/__init__.py")} - NO_RUN_ROOMS):
        for path in (ROOT / room).rglob("*.py"):
            if path.name not in NO_RUN:
                yield from _read_in(ast.parse(path.read_text(encoding="utf-8")))


def _read_in(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef) and any("validator" in ast.unparse(one) for one in node.decorator_list):
        return
    if isinstance(node, ast.Attribute):
        yield node.attr
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "getattr" and isinstance(node.args[1], ast.Constant):
        yield str(node.args[1].value)
    for child in ast.iter_child_nodes(node):
        yield from _read_in(child)
