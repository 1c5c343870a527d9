"""The crew of one run: hands segments to worker processes and waits; knows nothing of flows or strategies."""

from types import TracebackType
from typing import Literal, Self

from pegbox.schemas.data import PreparedData
from pegbox.schemas.plan import RunSpec
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment
from pegbox.storage.layout import StoreLayout
from pegbox.tasks.worker import evaluate_segment, train_segment
from pegbox.training.pool import WorkerPool


class Crew:
    """Worker processes with the store and the limits that they work under; safe to call from many threads."""

    def __init__(self, run: RunSpec, store: StoreLayout, pool: WorkerPool) -> None:
        self._run = run
        self._store = store
        self._pool = pool

    def train(self, segment: Segment, data: PreparedData | None) -> TrainedSegment:
        """Train a segment in a worker process.

        Raises:
            TrialError: Training failed, diverged, took too long, or its worker died.
        """
        return self._pool.run(train_segment, segment, data, self._store, timeout=self._run.timeout)

    def evaluate(
        self, segment: Segment, trained: TrainedSegment, data: PreparedData | None, part: Literal["valid", "test"]
    ) -> Evaluation:
        """Measure a trained segment in a worker process.

        Raises:
            TrialError: The model could not be loaded or measured.
        """
        return self._pool.run(evaluate_segment, segment, trained, data, part, timeout=self._run.timeout)

    def __enter__(self) -> Self:
        self._pool.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.__exit__(kind, error, trace)
