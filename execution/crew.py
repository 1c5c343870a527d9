"""The crew of one run: hands segments to worker processes and waits; knows nothing of flows or strategies."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, final

from pegbox.execution.batching import Batching, BatchPlan
from pegbox.execution.pool import WorkerPool
from pegbox.execution.prestart import prestart
from pegbox.execution.segment_worker import (
    evaluate_segment,
    handover_of,
    keep_reports,
    train_and_measure,
    train_segment,
    warm_up_for,
)
from pegbox.execution.trial_process import WarmUp
from pegbox.schemas.data import PreparedData
from pegbox.schemas.errors import StoreUnwritableError, TrialError
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment
from pegbox.storage.layout import StoreLayout
from pegbox.training.kinds.registry import code_modules, preload_for
from pegbox.training.resources import parse_bytes

Result = TypeVar("Result")

LOOK_SECONDS = 0.2
"""How often a crew looks whether the worker of a dead driver has finished a segment."""

BATCH_MODULES = ("pegbox.execution.batch_worker", "pegbox.training.stacked_trainer")


def start_early(spec: StudySpec) -> None:
    """Let the workers' imports begin while the driver still starts its server and reads its data."""
    if spec.run.engine == "local":
        prestart(Terms.of(spec).preload)


@dataclass(frozen=True, slots=True)
class Terms:
    """What workers of a study need to know and must keep to, on any machine.

    Attributes:
        timeout_seconds: The longest a segment may take.
        threads: CPU threads of each worker; None divides the cores among them.
        memory_bytes: The most memory that each may take.
        preload: What every worker imports before its first segment.
        limit: The Prefect concurrency limit that each training occupies.
        batch: How trials train together in one worker; None trains each alone.
        code: Modules of the user's that every worker imports as well.
    """

    timeout_seconds: float | None
    threads: int | None
    memory_bytes: int | None
    preload: tuple[str, ...]
    limit: str | None
    batch: BatchPlan | None = None
    code: tuple[str, ...] = ()

    @classmethod
    def of(cls, spec: StudySpec) -> Self:
        """As the study file says."""
        run = spec.run
        return cls(
            timeout_seconds=run.timeout,
            threads=run.threads,
            memory_bytes=parse_bytes(run.memory) if run.memory else None,
            preload=(
                *preload_for(spec.train),
                "pegbox.execution.segment_worker",
                *(BATCH_MODULES if run.batch else ()),
            ),
            limit=run.limit,
            batch=BatchPlan.of(spec),
            code=code_modules(spec.train),
        )


class Crew(ABC):
    """Who trains the segments of a run; any thread may call it.

    A task holds a crew and calls it where the task runs: in the driver, or in a process of a cluster.

    Attributes:
        reports_at_end: True where reports come back with what was trained, as no worker reaches the store's journals.
    """

    reports_at_end = False

    def __init__(self, terms: Terms, store: StoreLayout, capacity: int) -> None:
        """Nothing is started by this.

        Args:
            terms: What its workers keep to.
            store: Where they read and write.
            capacity: Segments that it takes at the same time.
        """
        self.terms = terms
        self.store = store
        self._capacity = capacity

    @property
    def capacity(self) -> int:
        """Segments that should be on their way at the same time."""
        return self._capacity

    @property
    @abstractmethod
    def pool(self) -> WorkerPool:
        """The worker processes beside the caller, started where they are not."""

    def train(self, segment: Segment, data: PreparedData | None) -> TrainedSegment:
        """Train a segment in a worker process, or take what a worker of a dead driver leaves behind.

        Raises:
            TrialError: Training failed, diverged, took too long, or its worker died.
            StoreUnwritableError: The disk is full or fails.
        """
        handover = handover_of(segment, data, self.store)
        while handover.is_training():  # outside the clock of the worker
            if self.pool.stopped.wait(LOOK_SECONDS):
                raise TrialError(Failure(kind=FailureKind.LOST, message="the study was stopped."))
        with store_failures_raised():
            return self._train(segment, data)

    def _train(self, segment: Segment, data: PreparedData | None) -> TrainedSegment:
        return self._run(train_segment, segment, data, self.store, warm_up=warm_up_for(segment, data))

    def send(self, segment: Segment, data: PreparedData | None) -> None:  # noqa: B027 - most workers see the store
        """Called by the driver before it hands out a segment: leave what far workers need; others see the store."""

    def collect(self, trained: TrainedSegment) -> None:  # noqa: B027
        """Called by the driver: bring the checkpoint into the store, where it is not there already."""

    def recorded(self, segment: Segment, data: PreparedData | None) -> None:
        """Take away what the worker left for the case that its driver dies."""
        handover_of(segment, data, self.store).clear()

    def evaluate(
        self, segment: Segment, trained: TrainedSegment, data: PreparedData | None, part: Literal["valid", "test"]
    ) -> Evaluation:
        """Measure a trained segment in a worker process.

        Raises:
            TrialError: The model could not be loaded or measured.
            StoreUnwritableError: The disk is full or fails.
        """
        with store_failures_raised():
            return self._run(evaluate_segment, segment, trained, data, part, warm_up=warm_up_for(segment, data))

    def why_lost(self) -> str | None:
        """Asked in the driver when a worker was lost: what became of the whole cluster; None where it lives."""
        return None

    def _run(self, function: Callable[..., Result], *arguments: Any, warm_up: WarmUp | None) -> Result:
        return self.pool.run(function, *arguments, timeout=self.terms.timeout_seconds, warm_up=warm_up)


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


@final
class LocalCrew(Crew):
    """Worker processes of the driver; use it as a context, so that they end with it."""

    def __init__(self, terms: Terms, store: StoreLayout, workers: int) -> None:
        """Start the workers."""
        super().__init__(terms, store, capacity=workers)
        self._pool = WorkerPool(
            workers,
            threads=terms.threads,
            memory_bytes=terms.memory_bytes,
            logs=store.logs,
            preload=terms.preload,
            code=terms.code,
            keep=keep_reports,
        )
        self._workers = workers
        self._evaluations: dict[str, Evaluation] = {}
        self._batching = (
            None if terms.batch is None else Batching(self._pool, workers, store, terms.batch, terms.timeout_seconds)
        )

    @property
    def capacity(self) -> int:
        """Enough for full batches where trials train together; else one more for every four workers.

        That one waits for a worker, so that no worker waits for what is recorded and decided between two trials. Fewer
        workers have none: their search would decide without the trial that it needs.
        """
        if self._batching:
            return self._batching.capacity
        return self._workers + (self._workers // 4 if self.terms.limit is None else 0)

    def _train(self, segment: Segment, data: PreparedData | None) -> TrainedSegment:
        done = self._batching.train(segment, data) if self._batching else None
        done = done or self._run(train_and_measure, segment, data, self.store, warm_up=warm_up_for(segment, data))
        if done.evaluation is not None:
            self._evaluations[_content(segment, data)] = done.evaluation
        return done.trained

    def evaluate(
        self, segment: Segment, trained: TrainedSegment, data: PreparedData | None, part: Literal["valid", "test"]
    ) -> Evaluation:
        """What the worker measured that trained the segment, or what another measures now."""
        if part == "valid" and (measured := self._evaluations.pop(_content(segment, data), None)):
            return measured
        return super().evaluate(segment, trained, data, part)

    @property
    def pool(self) -> WorkerPool:
        """The driver's workers."""
        return self._pool

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.stop()


def _content(segment: Segment, data: PreparedData | None) -> str:
    return segment.content_key(data.fingerprint if data else "")
