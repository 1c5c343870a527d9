"""A planner within the limits of a study: known configurations first, no step beyond the budget, and an end."""

import numpy as np

from pegbox.schemas.decision import Continue, Decision, Done, Fork, Start, Wait
from pegbox.schemas.errors import SpaceExhaustedError
from pegbox.schemas.history import History
from pegbox.search import limits
from pegbox.search.space.deduplication import Deduplication
from pegbox.search.space.encoding import SpaceEncoding
from pegbox.search.strategy import Ending, Planner


class BudgetedStrategy:
    """The strategy of every study that is not replaced as a whole."""

    def __init__(self, encoding: SpaceEncoding, planner: Planner, ending: Ending | None = None) -> None:
        self._encoding = encoding
        self._ending = ending
        self._planner = planner
        self._novelty = Deduplication(encoding)

    def next(self, history: History, rng: np.random.Generator) -> Decision:
        """The next decision.

        Raises:
            SearchError: The method cannot go on.
        """
        # Limits before the planner: a search that is over must not fit a model once more to find that out.
        reason = limits.end(history)
        if reason is None and self._ending is not None:
            reason = self._ending.reason(history)
        if reason is not None:
            return Done(reason=reason)
        barrier = limits.barrier(history)
        try:
            step = self._planner.plan(history, barrier is None, rng)
        except SpaceExhaustedError as exhausted:
            # Once more without new trials: what is paused may still go on after the last configuration has begun.
            barrier = str(exhausted)
            step = self._planner.plan(history, False, rng)
        return self._within_budget(history, step, barrier)

    def _within_budget(self, history: History, step: Decision, barrier: str | None) -> Decision:
        if isinstance(step, Done):
            return Done(reason=barrier) if barrier else step
        if isinstance(step, Start | Continue | Fork):
            reason = limits.overdraw(history, step)
            if reason is not None:
                return Wait() if history.running else Done(reason=reason)
        return self._known(history, step) if isinstance(step, Start) else step

    def _known(self, history: History, step: Start) -> Start:
        """The step with the first known configuration that was not tried yet, where there is one.

        The planner was asked before: it says to which rung the configuration is trained, and that nothing paused goes
        first.
        """
        if not history.spec.search.enqueue:
            return step
        tried = self._novelty.tried(history)
        for known in history.spec.search.enqueue:
            if self._encoding.key(known) not in tried:
                return Start(configuration=known, to_budget=step.to_budget)
        return step
