"""The schedule without early stopping: trains every trial to the full budget at once."""

from pegbox.schemas.decision import Continue, Done, Stop, Wait
from pegbox.schemas.history import History
from pegbox.search.schedules.rungs import idle, next_paused
from pegbox.search.strategy import Begin


class FullSchedule:
    """No rungs; a trial that another schedule left paused is trained to its end first."""

    def decide(self, history: History, can_begin: bool) -> Begin | Continue | Stop | Wait | Done:
        """The next paused trial, then a new one."""
        # First, since it has no value that counts yet, and what it took to come so far would be lost.
        paused = next_paused(history.active)
        if paused is not None:
            return Continue(trial=paused.number, to_budget=history.spec.full_budget)
        return Begin(to_budget=history.spec.full_budget) if can_begin else idle(history)
