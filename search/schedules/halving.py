"""Synchronous successive halving and Hyperband: a rung is decided once everybody in its bracket has come there."""

import numpy as np
import numpy.typing as npt

from pegbox.schemas.decision import Continue, Done, Stop, Wait
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.search.schedules.brackets import Bracket, brackets_in_turn
from pegbox.search.schedules.rungs import Ladder, Standings, idle
from pegbox.search.strategy import Begin

Numbers = npt.NDArray[np.int64]


class HalvingSchedule:
    """Brackets of trials; of each rung the best 1/factor climb and the others are stopped.

    A worker that one bracket does not need works for the next.

    Source: Jamieson & Talwalkar 2016 (halving); Li et al. 2018, algorithm 1 (Hyperband).
    """

    def __init__(self, spec: StudySpec, sizes: dict[int, int | None]) -> None:
        self._ladder = Ladder(spec)
        self._sizes = sizes

    @classmethod
    def halving(cls, spec: StudySpec, size: int | None) -> "HalvingSchedule":
        """Every bracket begins at the first rung."""
        return cls(spec, {0: size})

    @classmethod
    def hyperband(cls, spec: StudySpec) -> "HalvingSchedule":
        """Brackets begin at the first rung, the second, ..., the last, and again."""
        return cls(spec, dict.fromkeys(range(len(Ladder(spec).rungs))))

    def decide(self, history: History, can_begin: bool) -> Begin | Continue | Stop | Wait | Done:
        """What the oldest bracket needs that is not waiting for its running trials."""
        standings = self._ladder.standings(history)
        n_trials = len(history.trials)
        for bracket in brackets_in_turn(len(self._ladder.rungs), self._ladder.factor, self._sizes):
            if bracket.first + bracket.size > n_trials and can_begin:
                return Begin(to_budget=self._ladder.rungs[bracket.rung])
            if bracket.first >= n_trials:
                return idle(history)
            step = self._next_in(bracket, standings)
            if step is not None:
                return step
        raise AssertionError("brackets come without end")

    def _next_in(self, bracket: Bracket, standings: Standings) -> Continue | Stop | None:
        """The next step of a bracket; None where it waits for running trials, or is over."""
        cohort = np.arange(bracket.first, min(bracket.first + bracket.size, len(standings.over)))
        for rung in range(bracket.rung, self._ladder.top):
            present = standings.arrived[cohort, rung]
            if not (present | standings.over[cohort]).all():
                return None
            climbing, leaving = self._split(cohort, cohort[present], standings, rung)
            # Stops first: they take no worker, so that the one that is free asks again and gets the climb.
            for number in leaving[standings.paused_at[leaving] == rung]:
                return Stop(trial=int(number))
            for number in climbing[standings.paused_at[climbing] == rung]:
                return Continue(trial=int(number), to_budget=self._ladder.rungs[rung + 1])
            cohort = climbing
        return None

    def _split(self, cohort: Numbers, present: Numbers, standings: Standings, rung: int) -> tuple[Numbers, Numbers]:
        """Who climbs from a rung and who leaves, best first."""
        # One climbs from every bracket, be it ever so small: else its epochs end without a value that counts.
        n_best = max(len(cohort) // self._ladder.factor, 1)
        order = standings.ranked(present, rung)
        return order[:n_best], order[n_best:]
