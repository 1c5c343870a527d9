"""Asynchronous successive halving: a promotion for each trial among the best of its rung, waiting for no other."""

import numpy as np

from pegbox.schemas.decision import Continue, Done, Stop, Wait
from pegbox.schemas.history import History
from pegbox.schemas.study import FEW_TRAININGS, StudySpec
from pegbox.schemas.trial import Trial
from pegbox.search.auto_method import choose_method
from pegbox.search.limits import committed
from pegbox.search.schedules.brackets import Shares
from pegbox.search.schedules.rungs import Ladder, Standings, idle
from pegbox.search.space.encoding import Mask
from pegbox.search.strategy import Begin


class AshaSchedule:
    """The best 1/factor of a rung climb to the next as soon as they are known.

    With several brackets, bracket s begins its trials at rung s, and gets the share that Hyperband gives it. A model
    learns from a low rung where to look, and may be misled by it about what is best there: whole trainings get as much
    as the rungs, and all once these have shown it the region.

    Source: Li et al. 2020, algorithm 2; brackets as in Li et al. 2018.
    """

    def __init__(self, spec: StudySpec, brackets: int = 1) -> None:
        self._ladder = Ladder(spec)
        self._shares = Shares(len(self._ladder.rungs), self._ladder.factor, brackets)
        # Other methods learn from ranks, or not at all, and rungs save them as much at the end as at the begin. Of a
        # number of trials each would cost a whole training, where rungs were asked for to save them.
        self._mixes = choose_method(spec).method == "bayes" and spec.budget.trials is None

    def decide(self, history: History, can_begin: bool) -> Begin | Continue | Stop | Wait | Done:
        """A promotion from the highest rung that has one, or a new trial."""
        standings = self._ladder.standings(history)
        brackets = self._shares.of_first(len(history.trials) + 1)
        # From the top, as in the paper: a worker goes to whoever is nearest to a result at the full budget.
        for rung in reversed(range(self._ladder.top)):
            for bracket in range(min(rung, brackets.max()) + 1):
                number = self._promotable(standings, rung, brackets[:-1] == bracket)
                if number is not None:
                    return Continue(trial=number, to_budget=self._ladder.rungs[rung + 1])
        if can_begin:
            return Begin(to_budget=self._ladder.rungs[-1 if self._begins_whole(history) else brackets[-1]])
        return self._last_climb(history, standings) or idle(history)

    def _begins_whole(self, history: History) -> bool:
        """Whether the next new trial is trained to the end at once."""
        if not self._mixes:
            return False
        full = self._ladder.rungs[-1]
        spent = sum(committed(trial) for trial in history.trials)
        whole = sum(full for trial in history.trials if _first_budget(trial) >= full)
        # With it they have had half at most: the first comes once a whole training's worth went to the rungs.
        return spent >= FEW_TRAININGS * full or 2 * (whole + full) <= spent + full

    def _last_climb(self, history: History, standings: Standings) -> Continue | None:
        """The best of the highest rung, where no trial can begin any more and none came to the end.

        Too few trials promote nobody to the top, and all that they took would end without a value that counts.
        """
        if history.running or history.completed:
            return None
        for rung in reversed(range(self._ladder.top)):
            paused = np.flatnonzero(standings.paused_at == rung)
            if len(paused):
                return Continue(trial=int(standings.ranked(paused, rung)[0]), to_budget=self._ladder.rungs[rung + 1])
        return None

    def _promotable(self, standings: Standings, rung: int, members: Mask) -> int | None:
        """The best trial paused at a rung that is among the best 1/factor of all that have come there."""
        arrived = np.flatnonzero(members & standings.arrived[:, rung])
        # Rounded down: the first trial at a rung is its best by default, and proves nothing until others have come.
        n_best = len(arrived) // self._ladder.factor
        best = standings.ranked(arrived, rung)[:n_best]
        climbing = best[standings.paused_at[best] == rung]
        return int(climbing[0]) if len(climbing) else None


def _first_budget(trial: Trial) -> int:
    """Where a trial was first evaluated, or will be."""
    return trial.evaluations[0].budget if trial.evaluations else trial.to_budget
