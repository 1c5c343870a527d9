"""Quoted inputs of tasks, which Prefect passes on untouched instead of searching them for futures."""

from typing import TypeVar, cast

from prefect.utilities.annotations import quote

Passed = TypeVar("Passed")


def whole(value: Passed) -> Passed:
    """The value for a task's argument, as it is.

    Prefect searches all that a task is given for futures, which takes long in a history and copies what it finds.
    """
    return cast("Passed", quote(value))
