"""A call's timeout: the time that it has left, without what the machine or the looking process slept; ends nothing."""

import math
import time

# Picked by hand: a look costs microseconds; it must stay far below the gap that counts as sleep.
LOOK_SECONDS = 0.5
"""How often whoever waits must ask what is left."""
# Picked by hand, ten missed looks: a busy machine is late by less, and a shorter real sleep costs a trial little.
SUSPENDED_SECONDS = 5.0
"""A longer gap between two looks means that the machine, or this process, slept: no trial's clock ran meanwhile."""


class Deadline:
    """Counts down while somebody asks at least every `LOOK_SECONDS`."""

    def __init__(self, seconds: float | None) -> None:
        """Begin now; None never ends."""
        self.seconds = seconds
        self._left = math.inf if seconds is None else seconds
        self._looked_at = time.monotonic()

    def left(self) -> float:
        """Seconds that are left, 0 or less once they are over."""
        # Never the wall clock: it leaps after a suspended laptop wakes up, and all running trials would be overdue at
        # once.
        now = time.monotonic()
        gap, self._looked_at = now - self._looked_at, now
        if gap < SUSPENDED_SECONDS:
            self._left -= gap
        return self._left

    def shorten(self, seconds: float) -> None:
        """Leave no more than so many seconds from now on."""
        self._left = min(self._left, seconds)
