"""Gathers trials that are to be trained at the same time into batches, each for one worker; trains nothing itself."""

import logging
import math
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Self

from pegbox.execution.batch_worker import measure_speedup, train_segments, why_not_stacked
from pegbox.execution.pool import WorkerPool
from pegbox.execution.segment_worker import Measured, warm_up_for
from pegbox.execution.slot import Slot
from pegbox.schemas.data import PreparedData
from pegbox.schemas.errors import TrialError
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Segment
from pegbox.storage.layout import StoreLayout
from pegbox.training.stack_shape import batch_key, shape_key

# Picked by hand: all members of a stack wait for the slowest, and its memory grows with them; whether it gains is
# measured before (`_is_worth_it`).
AUTO_SIZE = 32
"""Trials of a batch, at most, where the study leaves their number to pegbox."""
# Picked by hand: a search that proposes a quarter of its trials at once still learns three times in between.
AUTO_SHARE = 4
"""Then no more than the budget's trials over this are on their way at once: a search learns from those that ended."""
# Picked by hand: above the time in which the study's loop hands out what it has decided; a batch pays it once.
QUIET_SECONDS = 0.25
"""A batch that has waited so long for its next trial waits for no more of them."""
# Picked by hand: above the noise of a short measurement on a busy machine.
WORTHWHILE = 1.1
"""Below this measured speed-up, `auto` trains one by one: a stack takes more memory, and answers late."""

_OF_THE_RUN = {FailureKind.LOST, FailureKind.STORE}
"""Failures that training one by one would meet again."""

_OF_THE_STACK = {FailureKind.KILLED, FailureKind.OUT_OF_MEMORY}
"""Failures that the next batch of this shape may meet again."""

_logger = logging.getLogger("prefect.batching")
"""Prefect's, by its name: what is told here is shown in the run, and Prefect must not be imported before its server
is chosen."""

_Answer = Measured | Failure | None
"""None: train it alone."""


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """How trials are to be trained together.

    Attributes:
        size: Trials of a batch, at most.
        is_forced: False to measure first whether batches pay.
    """

    size: int
    is_forced: bool

    @classmethod
    def of(cls, spec: StudySpec) -> Self | None:
        """As the study file says; None where each trial trains alone."""
        if spec.run.batch is None:
            return None
        if spec.run.batch != "auto":
            return cls(spec.run.batch, is_forced=True)
        share = (spec.budget.trials or math.inf) / AUTO_SHARE / spec.run.workers
        return cls(int(max(2, min(AUTO_SIZE, share))), is_forced=False)


@dataclass(eq=False, slots=True)
class _Batch:
    """Segments of one `batch_key` by their content, each with the answer that its caller waits for."""

    key: str
    data: PreparedData
    grown: threading.Condition
    segments: dict[str, Segment] = field(default_factory=dict)
    answers: dict[str, "Future[_Answer]"] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.segments)

    @property
    def leader(self) -> str:
        """The content of the segment that came first."""
        return next(iter(self.segments))

    def add(self, content: str, segment: Segment) -> None:
        self.segments[content] = segment
        self.answers[content] = Future()


class Batching:
    """Trains the segments of concurrent calls together where their networks have one shape.

    The call that begins a batch leads it: it waits until the batch is full or no more calls come, then for a worker,
    and has the worker train what has been gathered until then. Every caller gets its own result or failure.
    """

    def __init__(
        self, pool: WorkerPool, workers: int, store: StoreLayout, plan: BatchPlan, timeout_seconds: float | None
    ) -> None:
        """Begin with no batch.

        Args:
            pool: Whose workers train.
            workers: How many it has.
            store: Where checkpoints and journals are kept.
            plan: How large batches are, and whether they must pay.
            timeout_seconds: The longest a segment may take; a batch may take as many times longer as it has segments.
        """
        self._pool, self._workers, self._store = pool, workers, store
        self._is_forced, self._size = plan.is_forced, plan.size
        self._timeout_seconds = timeout_seconds
        self._lock = threading.Lock()
        self._open: dict[str, _Batch] = {}
        self._pays: dict[str, bool] = {}
        self._n_batches = self._n_gathered = 0

    @property
    def capacity(self) -> int:
        """Segments that should be on their way at once, so that batches become full; one a worker where none pays."""
        pays_nowhere = bool(self._pays) and not any(self._pays.values())
        is_alone = not self._is_forced and (pays_nowhere or self._has_given_up)
        return self._workers if is_alone else self._workers * self._size

    def train(self, segment: Segment, data: PreparedData | None) -> Measured | None:
        """Train a segment together with those of other calls; None where it is to be trained alone.

        Raises:
            TrialError: This segment failed, or all of the batch did.
        """
        key = batch_key(segment)
        if key is None or data is None or self._has_given_up or self._pays.get(shape_key(segment) or "") is False:
            return None
        content = segment.content_key(data.fingerprint)
        batch = self._join(f"{data.fingerprint} {key}", content, segment, data)
        if batch is None:
            return None
        if batch.leader == content:
            self._lead(batch)
        answer = batch.answers[content].result()
        if isinstance(answer, Failure):
            raise TrialError(answer)
        return answer

    def _join(self, key: str, content: str, segment: Segment, data: PreparedData) -> _Batch | None:
        """The batch that the segment is now part of, or None where it holds one of the same content."""
        with self._lock:
            batch = self._open.setdefault(key, _Batch(key, data, threading.Condition(self._lock)))
            if content in batch.segments:
                return None  # trained alone, it finds the other's result
            batch.add(content, segment)
            if len(batch) >= self._size:
                del self._open[key]
            batch.grown.notify_all()
            return batch

    def _lead(self, batch: _Batch) -> None:
        """Have the batch trained, and answer every caller whatever happens."""
        try:
            self._gather(batch)
            # A worker first, then the batch is closed: while all are busy it may grow at no cost.
            with self._pool.reserved() as worker:
                self._close(batch)
                answers = self._ask(worker, tuple(batch.segments.values()), batch.data)
        except BaseException as error:
            self._close(batch)
            # After the batch is closed: whoever joined it later would wait for an answer that nobody gives.
            for future in batch.answers.values():
                future.set_exception(error)
            raise
        for future, answer in zip(batch.answers.values(), answers, strict=True):
            future.set_result(answer)

    def _gather(self, batch: _Batch) -> None:
        """Wait until the batch is full, or a while has brought no more."""
        with self._lock:
            while len(batch) < self._size and batch.grown.wait(QUIET_SECONDS):
                pass

    def _close(self, batch: _Batch) -> None:
        with self._lock:
            if self._open.get(batch.key) is batch:
                del self._open[batch.key]

    def _ask(self, worker: Slot, segments: Sequence[Segment], data: PreparedData) -> Sequence[_Answer]:
        alone: list[_Answer] = [None] * len(segments)
        self._count(segments)
        if len(segments) == 1 or not self._is_worth_it(worker, segments, data):
            return alone
        try:
            answers: tuple[Measured | Failure, ...] = worker.run(
                train_segments,
                (segments, data, self._store),
                self._timeout_of(segments),
                warm_up_for(segments[0], data),
            )
        except TrialError as error:
            if error.failure.kind is FailureKind.TIMEOUT:
                return [self._timeout_failure(len(segments))] * len(segments)
            if error.failure.kind in _OF_THE_RUN:
                return [error.failure] * len(segments)
            if error.failure.kind in _OF_THE_STACK:
                self._decide(segments[0], False, f"a batch of {len(segments)} failed: {error.failure.message}")
            return alone
        return answers

    def _count(self, segments: Sequence[Segment]) -> None:
        had_given_up = self._has_given_up
        self._n_batches += 1
        self._n_gathered += len(segments)
        if self._has_given_up and not had_given_up:
            why = f"{self._n_gathered} trials made {self._n_batches} batches of one shape each"
            _logger.info("Trials train one by one from now on: %s. Fewer shapes in the space make larger ones.", why)

    @property
    def _has_given_up(self) -> bool:
        """True where `auto` has seen that shapes are too many for batches."""
        return not self._is_forced and 2 * self._size <= self._n_gathered < 2 * self._n_batches

    def _is_worth_it(self, worker: Slot, segments: Sequence[Segment], data: PreparedData) -> bool:
        shape = shape_key(segments[0]) or ""
        if shape in self._pays:
            return self._pays[shape]
        # At the full size, filled up with repetitions: the first batch is often small, and its answer holds for all
        # later.
        probe = tuple(islice(cycle(segments), self._size))
        try:
            # Of a user's module only a try tells; two are enough, for the others have equal arguments.
            if why := worker.run(why_not_stacked, (segments[:2], data), self._timeout_of(segments)):
                return self._decide(segments[0], False, why)
            if self._is_forced:
                return self._pays.setdefault(shape, True)
            times: float = worker.run(measure_speedup, (probe, data), self._timeout_of(probe))
        except TrialError:  # one of them cannot begin; one by one, it fails alone
            return False
        return self._decide(segments[0], times > WORTHWHILE, f"a stack of {self._size} is {times:.1f} times as fast.")

    def _decide(self, segment: Segment, pays: bool, why: str) -> bool:
        shape = shape_key(segment) or ""
        self._pays[shape] = pays
        _logger.info("Trials of the shape %s train %s: %s", shape, "together" if pays else "one by one", why)
        return pays

    def _timeout_of(self, segments: Sequence[Segment]) -> float | None:
        # One after another is the slowest that a stack can be, so a member never has less time than alone.
        return None if self._timeout_seconds is None else self._timeout_seconds * len(segments)

    def _timeout_failure(self, n_segments: int) -> Failure:
        message = (
            f"the {n_segments} trials of a batch ran longer than {n_segments} times {self._timeout_seconds:g} seconds "
            "and were ended. Raise run.timeout, or leave run.batch out."
        )
        return Failure(kind=FailureKind.TIMEOUT, message=message)
