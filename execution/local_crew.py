"""The crew on this machine: worker processes of the driver, which train alone or in batches of one network shape."""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, final

from pegbox.execution.batching import Batching, BatchPlan
from pegbox.execution.pool import WorkerPool
from pegbox.execution.segment_calls import SegmentCalls, store_failures_raised
from pegbox.execution.segment_worker import handover_of
from pegbox.execution.worker_settings import WorkerSettings
from pegbox.schemas.data import PreparedData
from pegbox.schemas.plan import RunSpec
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment
from pegbox.storage.layout import StoreLayout

Result = TypeVar("Result")


@final
class LocalCrew:
    """A `Crew` whose workers are processes of the driver; use it as a context, so that they end with it."""

    reports_at_end = False

    def __init__(
        self, run: RunSpec, settings: WorkerSettings, store: StoreLayout, batch: BatchPlan | None = None
    ) -> None:
        """Start the workers.

        Args:
            run: How the study is executed.
            settings: What its workers keep to.
            store: Where they read and write.
            batch: How trials train together in one worker; None trains each alone.
        """
        self.run = run
        self.pool = WorkerPool(run.workers, settings, logs=store.logs)
        self._store = store
        self._calls = SegmentCalls(self.pool, store, run.timeout)
        self._batching = Batching(self.pool, run.workers, store, batch, run.timeout) if batch else None
        self._evaluations: dict[str, Evaluation] = {}

    @property
    def capacity(self) -> int:
        """Enough for full batches where trials train together; else one more for every four workers.

        That one waits for a worker, so that no worker waits for what is recorded and decided between two trials. Fewer
        workers have none: their search would decide without the trial that it needs.
        """
        if self._batching:
            return self._batching.capacity
        # One in four was picked by hand. With `run.limit` none: it would take a place of the limit and train nothing.
        return self.run.workers + (self.run.workers // 4 if self.run.limit is None else 0)

    def prepare(self, segment: Segment, data: PreparedData | None) -> None:
        """Nothing: its workers see the store."""

    def train(self, segment: Segment, data: PreparedData | None) -> TrainedSegment:
        """See `Crew`; what the worker measures on its way is kept for `evaluate`."""
        with self._calls.unclaimed(segment, data):
            done = self._batching.train(segment, data) if self._batching else None
            done = done or self._calls.train_and_measure(segment, data)
        if done.evaluation is not None:
            self._evaluations[_content(segment, data)] = done.evaluation
        return done.trained

    def evaluate(
        self, segment: Segment, trained: TrainedSegment, data: PreparedData | None, part: Literal["valid", "test"]
    ) -> Evaluation:
        """What the worker measured that trained the segment, or what another measures now."""
        # Taken out: each is asked for once, and what stays would grow with the study.
        if part == "valid" and (measured := self._evaluations.pop(_content(segment, data), None)):
            return measured
        return self._calls.evaluate(segment, trained, data, part)

    def collect(self, segment: Segment, trained: TrainedSegment, data: PreparedData | None) -> None:
        """See `Crew`; the checkpoint is in the store already."""
        handover_of(segment, data, self._store).clear()

    def call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """See `Crew`; its workers have torch or scikit-learn loaded, which take the driver seconds."""
        with store_failures_raised():
            return self.pool.run(function, *arguments)

    def why_lost(self) -> str | None:
        """None: its workers are lost one at a time."""
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.pool.stop()


def _content(segment: Segment, data: PreparedData | None) -> str:
    return segment.content_key(data.fingerprint if data else "")
