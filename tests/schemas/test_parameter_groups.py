"""Groups of parameters, flat and gathered again."""

import pytest

from pegbox.schemas.errors import StudyError
from pegbox.schemas.parameter_groups import flatten_groups, gather_groups
from pegbox.schemas.study_file import read_study

NESTED = {
    "lr": {"min": 0.0, "max": 1.0},
    "model": {
        "when": {"lr": 0.5},
        "parameters": {
            "kind": ["deep", "wide"],
            "deep": {"parameters": {"units": [1, 2], "act": "relu"}, "when": {"kind": "deep"}},
        },
    },
}


def test_groups_become_full_names_with_their_conditions() -> None:
    flat = flatten_groups(NESTED)
    assert list(flat) == ["lr", "model.kind", "model.deep.units", "model.deep.act"]
    assert flat["model.deep.units"] == {"values": [1, 2], "when": {"lr": 0.5, "model.kind": "deep"}}
    assert flat["model.deep.act"] == {"value": "relu", "when": {"lr": 0.5, "model.kind": "deep"}}


def test_names_of_the_own_group_come_first() -> None:
    flat = flatten_groups({"kind": [1], "g": {"parameters": {"kind": [2], "x": {"values": [3], "when": {"kind": 2}}}}})
    assert flat["g.x"]["when"] == {"g.kind": 2}


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"g": {"parameters": {"x": [1]}, "min": 0}}, "got min"),
        ({"g.x": [1], "g": {"parameters": {"x": [2]}}}, "two parameters are named 'g.x'"),
    ],
)
def test_an_unclear_group_is_refused(raw: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        flatten_groups(raw)


def test_a_function_that_takes_the_group_is_handed_a_mapping() -> None:
    flat = {"lr": 0.1, "model.kind": "deep", "model.deep.units": 2}
    assert gather_groups(flat, ["lr", "model"]) == {"lr": 0.1, "model": {"kind": "deep", "deep": {"units": 2}}}
    assert gather_groups(flat, ["lr"]) == flat


def test_a_mistake_in_a_group_is_shown_at_its_line(tmp_path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(
        "name: s\ntrain: {kind: function, function: 'a:b'}\nspace:\n  model:\n    parameters:\n"
        "      units: {min: 9, max: 2, int: true}\nobjective: {metric: loss}\nbudget: {trials: 3}\n"
    )
    with pytest.raises(StudyError) as caught:
        read_study(file)
    problem = caught.value.problems[0]
    assert problem.line == 6
    assert "min must be below max" in problem.message
