"""The median rule of early stopping: a trial goes on while it is no worse than half of those that came as far as it."""

import numpy as np

from pegbox.schemas.decision import Continue, Done, Stop, Wait
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.search.objectives import places, total_violation
from pegbox.search.schedules.rungs import Ladder, Standings, idle
from pegbox.search.strategy import Begin


class MedianSchedule:
    """At each rung a trial is compared with all that were evaluated there before.

    Source: Golovin et al. 2017, section 3.2.2; values at the rung stand for their running averages.
    """

    # 5: the start-up trials of Optuna's median pruner; the median of fewer says more of luck than of quality.
    def __init__(self, spec: StudySpec, warmup: int = 5) -> None:
        self._ladder = Ladder(spec)
        self._warmup = warmup

    def decide(self, history: History, can_begin: bool) -> Begin | Continue | Stop | Wait | Done:
        """The verdict on a paused trial, or a new trial."""
        standings = self._ladder.standings(history)
        paused = np.flatnonzero(standings.paused_at >= 0)
        if len(paused):
            return self._verdict(int(paused[0]), standings)
        return Begin(to_budget=self._ladder.rungs[0]) if can_begin else idle(history)

    def _verdict(self, number: int, standings: Standings) -> Continue | Stop:
        rung = int(standings.paused_at[number])
        arrived = np.flatnonzero(standings.arrived[:, rung])
        place = places(standings.losses[arrived, rung], total_violation(standings.violations[arrived, rung]))
        own = place[arrived == number][0]
        if len(arrived) > self._warmup and own > np.median(place):
            return Stop(trial=number)
        return Continue(trial=number, to_budget=self._ladder.rungs[rung + 1])
