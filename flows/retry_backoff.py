"""Exponential retry backoff: failed segments wait before their next attempt, twice as long each time."""

import time
from collections import Counter

from pegbox.schemas.failure import Failure
from pegbox.schemas.training_place import TrainingPlace, TrialSeed
from pegbox.schemas.trial import Segment

# Both picked by hand: a second frees a GPU's memory or a port, a minute outlasts most hiccups of a file server without
# holding up the trial's rung. No jitter: one thread hands out all retries of a study.
FIRST_SECONDS = 1.0
LONGEST_SECONDS = 60.0


class RetryBackoff:
    """Counts retries, and gives segments back when they have waited; used in one thread.

    Args:
        most: Retries of one fold of a trial, or of a fresh seed of it; more are not allowed.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._due: list[tuple[float, Segment]] = []
        # Not the attempts: a trial whose drivers died has had some, and none of them failed.
        self._retries: Counter[TrainingPlace] = Counter()

    def __len__(self) -> int:
        return len(self._due)

    def allows(self, segment: Segment, failure: Failure) -> bool:
        """True if a segment that failed may be tried again."""
        return failure.kind.deserves_retry and self._retries[segment.without_attempt] < self._most

    def retry(self, segment: Segment) -> None:
        """Let a failed segment wait for its next attempt: 1 second at first, then 2, 4, ..., at most 60."""
        retries = self._retries[segment.without_attempt] = self._retries[segment.without_attempt] + 1
        seconds = min(FIRST_SECONDS * 2.0 ** (retries - 1), LONGEST_SECONDS)
        self._due.append((time.monotonic() + seconds, segment.model_copy(update={"attempt": segment.attempt + 1})))

    def due(self) -> list[Segment]:
        """Those that have waited; given once."""
        now = time.monotonic()
        found = [segment for due, segment in self._due if due <= now]
        self._due = [(due, segment) for due, segment in self._due if due > now]
        return found

    def seconds_left(self) -> float | None:
        """Until the first has waited; None where none waits."""
        return max(0.0, min(due for due, _ in self._due) - time.monotonic()) if self._due else None

    def drop(self, which: TrialSeed) -> None:
        """Forget the segments of a trial, or of a fresh seed of it."""
        self._due = [(due, one) for due, one in self._due if one.trial_seed != which]

    def clear(self) -> None:
        """Forget all that wait."""
        self._due.clear()
