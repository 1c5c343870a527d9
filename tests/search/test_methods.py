"""The methods by name."""

from typing import Any

import pytest

from pegbox.schemas.errors import StudyError
from pegbox.search.methods import check_search, strategy_for
from pegbox.testing.studies import study


def messages(**changes: Any) -> list[str]:
    return [problem.message for problem in check_search(study({"a": [1, 2, 3]}, **changes))]


def test_a_sound_study_has_no_problems() -> None:
    assert messages() == []


def test_an_unknown_method_is_answered_with_the_nearest() -> None:
    assert "Unknown search method 'randon'. Did you mean 'random'?" in messages(search={"method": "randon"})[0]


def test_an_unknown_schedule_is_answered_with_the_nearest() -> None:
    assert "Did you mean 'full'?" in messages(fidelity={"schedule": "ful"})[0]


def test_an_unknown_option_is_answered_with_the_nearest() -> None:
    problems = messages(search={"method": "grid", "options": {"point": 3}})
    assert problems == ["Unknown option 'point'. Did you mean 'points'? Known: points."]


def test_an_option_of_the_wrong_type_is_named() -> None:
    assert "got 'many'" in messages(search={"method": "grid", "options": {"points": "many"}})[0]


def test_a_problem_says_where_it_is() -> None:
    problems = check_search(study({"a": [1, 2]}, search={"enqueue": [{"a": 1}, {"a": 5}]}))
    assert [problem.path for problem in problems] == [("search", "enqueue", 1)]


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"aa": 1}, "Unknown parameter 'aa'. Did you mean 'a'?"),
        ({"a": 7}, "a cannot be 7"),
        ({}, "a is missing"),
    ],
)
def test_a_known_configuration_must_fit_the_space(configuration: dict[str, Any], message: str) -> None:
    assert message in messages(search={"enqueue": [configuration]})[0]


def test_building_an_unsound_study_is_an_error() -> None:
    with pytest.raises(StudyError, match="Did you mean 'random'"):
        strategy_for(study(search={"method": "randon"}))
