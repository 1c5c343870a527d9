import pytest

from pegbox.cli.scheduled_study import read_job_variables
from pegbox.schemas.errors import StudyError


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
