"""The crew of one run: hands segments to worker processes and waits; knows nothing of flows or strategies."""

from types import TracebackType
from typing import Literal, Self

from pegbox.schemas.data import PreparedData
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment
from pegbox.storage.layout import StoreLayout
from pegbox.tasks.worker import evaluate_segment, train_segment
from pegbox.training.kinds import preload_for
from pegbox.training.pool import WorkerPool
from pegbox.training.prestart import prestart
from pegbox.training.resources import parse_bytes


def open_crew(spec: StudySpec, store: StoreLayout) -> "Crew":
    """Start the worker processes of a run; use it as a context, so that they end with it."""
    pool = WorkerPool(
        spec.run.workers,
        threads=spec.run.threads,
        memory_bytes=parse_bytes(spec.run.memory) if spec.run.memory else None,
        logs=store.logs,
        preload=preload_of(spec),
    )
    return Crew(pool, store, spec.run.timeout, spec.run.limit)


def preload_of(spec: StudySpec) -> tuple[str, ...]:
    """What every worker imports before its first segment."""
    return (*preload_for(spec.train), "pegbox.tasks.worker")


def start_early(spec: StudySpec) -> None:
    """Let the workers' imports begin while the driver still starts its server and reads its data."""
    prestart(preload_of(spec))


class Crew:
    """Worker processes with the store and the limits that they work under; any thread may call it."""

    def __init__(
        self, pool: WorkerPool, store: StoreLayout, timeout_seconds: float | None, limit: str | None = None
    ) -> None:
        self.limit = limit
        """The Prefect concurrency limit that each training occupies."""
        self._pool = pool
        self._store = store
        self._timeout_seconds = timeout_seconds

    def train(self, segment: Segment, data: PreparedData | None) -> TrainedSegment:
        """Train a segment in a worker process.

        Raises:
            TrialError: Training failed, diverged, took too long, or its worker died.
        """
        return self._pool.run(train_segment, segment, data, self._store, timeout=self._timeout_seconds)

    def evaluate(
        self, segment: Segment, trained: TrainedSegment, data: PreparedData | None, part: Literal["valid", "test"]
    ) -> Evaluation:
        """Measure a trained segment in a worker process.

        Raises:
            TrialError: The model could not be loaded or measured.
        """
        return self._pool.run(evaluate_segment, segment, trained, data, part, timeout=self._timeout_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.stop()
