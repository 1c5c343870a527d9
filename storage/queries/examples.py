"""Queries that a reader is told to ask himself, as he would type them; none of them is run here."""

from typing import Literal

from pegbox.storage.completion import written


def best_trials_example(view_name: str, goal: Literal["minimize", "maximize"]) -> str:
    """The best trials of one study with a column for each parameter.

    >>> best_trials_example("study_digits", "maximize")
    'FROM study_digits ORDER BY value DESC LIMIT 10'
    """
    direction = " DESC" if goal == "maximize" else ""
    return f"FROM {written(view_name)} ORDER BY value{direction} LIMIT 10"
