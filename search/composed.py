"""The default planner: a schedule says whether to begin or go on, a sampler what to begin."""

import numpy as np

from pegbox.schemas.decision import Decision, Start
from pegbox.schemas.history import History
from pegbox.search.strategy import Begin, Sampler, Schedule


class ComposedPlanner:
    """Asks the schedule first; the sampler only where a new trial begins."""

    def __init__(self, sampler: Sampler, schedule: Schedule) -> None:
        self._sampler = sampler
        self._schedule = schedule

    def plan(self, history: History, can_begin: bool, rng: np.random.Generator) -> Decision:
        """The schedule's step.

        Raises:
            SpaceExhaustedError: The sampler has nothing left to try.
        """
        step = self._schedule.decide(history, can_begin)
        if not isinstance(step, Begin):
            return step
        configuration = self._sampler.propose(history, 1, rng)[0]
        return Start(configuration=configuration, to_budget=step.to_budget)
