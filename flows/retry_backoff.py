"""Exponential retry backoff: failed segments wait before their next attempt, twice as long each time."""

import time

from pegbox.schemas.trial import Segment

# Both picked by hand: a second frees a GPU's memory or a port, a minute outlasts most hiccups of a file server without
# holding up the trial's rung. No jitter: one thread hands out all retries of a study.
FIRST_SECONDS = 1.0
LONGEST_SECONDS = 60.0


class RetryBackoff:
    """Gives segments back when they have rested; used in one thread."""

    def __init__(self) -> None:
        self._due: list[tuple[float, Segment]] = []

    def __len__(self) -> int:
        return len(self._due)

    def add(self, segment: Segment, retry: int = 1) -> None:
        """Let a segment rest: 1 second before its first retry, then 2, 4, ..., at most 60."""
        seconds = min(FIRST_SECONDS * 2.0 ** (retry - 1), LONGEST_SECONDS)
        self._due.append((time.monotonic() + seconds, segment))

    def rested(self) -> list[Segment]:
        """Those that have rested; given once."""
        now = time.monotonic()
        rested = [segment for due, segment in self._due if due <= now]
        self._due = [(due, segment) for due, segment in self._due if due > now]
        return rested

    def seconds_left(self) -> float | None:
        """Until the first has rested; None where none rests."""
        return max(0.0, min(due for due, _ in self._due) - time.monotonic()) if self._due else None

    def drop(self, trial: int, replicate: int | None) -> None:
        """Forget the segments of a trial, or of a fresh seed of it."""
        self._due = [(due, one) for due, one in self._due if (one.trial, one.replicate) != (trial, replicate)]

    def clear(self) -> None:
        """Forget all."""
        self._due.clear()
