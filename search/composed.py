"""The default strategy: a sampler says what to try, a schedule how far to train it, the budget when to end."""

import numpy as np

from pegbox.schemas.base import Configuration
from pegbox.schemas.decision import Decision, Done, Start, Wait
from pegbox.schemas.errors import SpaceExhaustedError
from pegbox.schemas.history import History
from pegbox.search import limits
from pegbox.search.encoding import SpaceEncoding
from pegbox.search.novelty import Novelty
from pegbox.search.strategy import Begin, Sampler, Schedule


class ComposedStrategy:
    """Asks the schedule first; only where it wants a new trial, the known configurations and then the sampler."""

    def __init__(self, encoding: SpaceEncoding, sampler: Sampler, schedule: Schedule) -> None:
        self._encoding = encoding
        self._sampler = sampler
        self._schedule = schedule
        self._novelty = Novelty(encoding)

    def next(self, history: History, rng: np.random.Generator) -> Decision:
        """The next decision.

        Raises:
            SearchError: The sampler cannot go on.
        """
        reason = limits.end(history)
        if reason is not None:
            return Done(reason=reason)
        barrier = limits.barrier(history)
        step = self._schedule.decide(history, can_begin=barrier is None)
        configuration: Configuration = {}
        if isinstance(step, Begin):
            try:
                configuration = self._configuration(history, rng)
            except SpaceExhaustedError as exhausted:
                barrier = str(exhausted)
                step = self._schedule.decide(history, can_begin=False)
        return self._checked(history, step, configuration, barrier)

    def _configuration(self, history: History, rng: np.random.Generator) -> Configuration:
        if history.spec.search.enqueue:
            tried = self._novelty.tried(history)
            for known in history.spec.search.enqueue:
                if self._encoding.key(known) not in tried:
                    return known
        return self._sampler.propose(history, 1, rng)[0]

    def _checked(
        self, history: History, step: Begin | Decision, configuration: Configuration, barrier: str | None
    ) -> Decision:
        """The step as a decision, where the epochs allow it."""
        if isinstance(step, Done):
            return Done(reason=barrier) if barrier else step
        if isinstance(step, Begin) or step.kind == "continue":
            reason = limits.overdraw(history, step)
            if reason is not None:
                return Wait() if history.running else Done(reason=reason)
        return Start(configuration=configuration, to_budget=step.to_budget) if isinstance(step, Begin) else step
