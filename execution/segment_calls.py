"""How a segment is trained and measured by a worker process: the calls, and the wait for them, that all crews share."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, final

from pegbox.execution.pool import WorkerPool
from pegbox.execution.segment_worker import (
    Measured,
    evaluate_segment,
    handover_of,
    train_and_measure,
    train_segment,
    warm_up_for,
)
from pegbox.schemas.data import PreparedData
from pegbox.schemas.errors import StoreUnwritableError, TrialError
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment
from pegbox.storage.layout import StoreLayout

Result = TypeVar("Result")

LOOK_SECONDS = 0.2
"""How often one looks whether the worker of a dead driver has finished a segment; picked by hand: seldom against the
disk, and short against a training that a worker finishes alone."""


@final
@dataclass(frozen=True, slots=True)
class SegmentCalls:
    """Calls the workers of one pool; any thread may use it.

    Attributes:
        pool: Whose workers are called.
        store: Where they read and write.
        timeout_seconds: The longest a call may take.
    """

    pool: WorkerPool
    store: StoreLayout
    timeout_seconds: float | None

    def train(self, segment: Segment, data: PreparedData | None) -> TrainedSegment:
        """Train a segment.

        Raises:
            TrialError: Training failed, diverged, took too long, or its worker died.
            StoreUnwritableError: The disk is full or fails.
        """
        with self.unclaimed(segment, data):
            return self._run(segment, data, train_segment, segment, data, self.store)

    def train_and_measure(self, segment: Segment, data: PreparedData | None) -> Measured:
        """Train a segment, and measure it while its worker has it at hand; raises what `train` does."""
        return self._run(segment, data, train_and_measure, segment, data, self.store)

    def evaluate(
        self, segment: Segment, trained: TrainedSegment, data: PreparedData | None, part: Literal["valid", "test"]
    ) -> Evaluation:
        """Measure a trained segment.

        Raises:
            TrialError: The model could not be loaded or measured.
            StoreUnwritableError: The disk is full or fails.
        """
        with store_failures_raised():
            return self._run(segment, data, evaluate_segment, segment, trained, data, part)

    @contextmanager
    def unclaimed(self, segment: Segment, data: PreparedData | None) -> Iterator[None]:
        """Wait until the worker of a dead driver has let go of a segment; then what it left behind can be taken."""
        handover = handover_of(segment, data, self.store)
        while handover.is_training():  # outside the clock of the worker
            if self.pool.stopped.wait(LOOK_SECONDS):
                raise TrialError(Failure(kind=FailureKind.LOST, message="the study was stopped."))
        with store_failures_raised():
            yield

    def _run(
        self, segment: Segment, data: PreparedData | None, function: Callable[..., Result], *arguments: Any
    ) -> Result:
        return self.pool.run(function, *arguments, timeout=self.timeout_seconds, warm_up=warm_up_for(segment, data))


@contextmanager
def store_failures_raised() -> Iterator[None]:
    """Turn the failure of a store, which no trial can help, into the error that ends the run."""
    try:
        yield
    except TrialError as error:
        if error.failure.kind is FailureKind.STORE:
            raise StoreUnwritableError(
                f"A worker could not write: {error.failure.message} Make room or mend the disk, then run the same "
                "command again; everything recorded before is kept."
            ) from error
        raise
