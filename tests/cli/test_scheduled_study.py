from io import StringIO

import pytest

from pegbox.cli.console import console, show
from pegbox.cli.scheduled_study import draw_scheduled, read_job_variables
from pegbox.schemas.errors import StudyError


def test_list_of_scheduled_studies_is_a_line_each() -> None:
    text = StringIO()

    show(
        console(text),
        draw_scheduled(
            [
                ("retune/digits", "0 3 * * 1 UTC", False, "/srv/store"),
                ("retune/a", "every 6:00:00", True, "/b"),
            ]
        ),
    )

    assert [line.split("  ")[0] for line in text.getvalue().splitlines()] == ["deployment", "retune/digits", "retune/a"]
    assert text.getvalue().splitlines()[2].split() == ["retune/a", "every", "6:00:00", "paused", "/b"]


def test_job_variables_are_pairs_whose_value_may_hold_anything() -> None:
    assert read_job_variables(("image=mine:1", "env=A=1"), "gpus", None) == {"image": "mine:1", "env": "A=1"}


@pytest.mark.parametrize("given", ["image", "=mine", " =mine"])
def test_what_is_no_pair_is_named(given: str) -> None:
    with pytest.raises(StudyError, match=f"expected NAME=VALUE, got '{given}'"):
        read_job_variables((given,), "gpus", None)


@pytest.mark.parametrize(("given", "queue"), [(("image=mine",), None), ((), "night")])
def test_what_a_pool_alone_can_use_asks_for_one(given: tuple[str, ...], queue: str | None) -> None:
    with pytest.raises(StudyError, match="are for a work pool"):
        read_job_variables(given, None, queue)
