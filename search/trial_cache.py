"""A cache of what was computed of each trial, so that long histories are cheap; no decision depends on it."""

from collections.abc import Callable
from itertools import compress, count
from operator import is_not
from typing import Generic, TypeVar

from pegbox.schemas.trial import Trial

Row = TypeVar("Row")


class TrialCache(Generic[Row]):
    """One computed row a trial; a trial that changed, or another history, is computed anew."""

    def __init__(self, compute: Callable[[Trial], Row]) -> None:
        self._compute = compute
        self._trials: list[Trial] = []
        self._rows: list[Row] = []

    def rows(self, trials: tuple[Trial, ...]) -> list[Row]:
        """The rows of the trials, in their order; not to be changed by the caller."""
        del self._trials[len(trials) :], self._rows[len(trials) :]
        # By identity: trials are frozen, and an event makes a new object of the trial that it changes alone.
        for position in list(compress(count(), map(is_not, self._trials, trials))):
            self._trials[position], self._rows[position] = trials[position], self._compute(trials[position])
        for trial in trials[len(self._trials) :]:
            self._trials.append(trial)
            self._rows.append(self._compute(trial))
        return self._rows
