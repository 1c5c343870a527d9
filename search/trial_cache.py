"""A cache of what was computed of each trial, so that long histories are cheap; no decision depends on it."""

from collections.abc import Callable
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
        for position, (old, new) in enumerate(zip(self._trials, trials, strict=False)):
            # By identity: trials are frozen, and an event makes a new object of the trial that it changes alone.
            if old is not new:
                self._trials[position], self._rows[position] = new, self._compute(new)
        for trial in trials[len(self._trials) :]:
            self._trials.append(trial)
            self._rows.append(self._compute(trial))
        return self._rows
