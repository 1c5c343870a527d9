"""The seam between a study's loop and whoever trains, a few verbs; `local_crew`, `cluster_crew` and `far_crew` do them.

The driver calls `prepare` before it hands a segment out, `collect` after it was trained, and `why_lost` where its
worker was lost; a task calls `train` and `evaluate` where it runs: in the driver, or in a process of a cluster.
"""

from collections.abc import Callable
from multiprocessing import forkserver
from typing import Any, Literal, Protocol, TypeVar

from pegbox.execution.segment_worker import keep_reports
from pegbox.execution.slot import worker_context
from pegbox.execution.worker_settings import WorkerSettings
from pegbox.schemas.data import PreparedData
from pegbox.schemas.plan import RunSpec
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment
from pegbox.training.kinds.registry import code_modules, preload_for
from pegbox.training.resources import parse_bytes

# Preloaded only where `run.batch` asks for it: the second one loads torch, which other kinds do without.
BATCH_MODULES = ("pegbox.execution.batch_worker", "pegbox.training.stacked_trainer")

Result = TypeVar("Result")


class Crew(Protocol):
    """Who trains the segments of a run; any thread may call it."""

    @property
    def run(self) -> RunSpec:
        """How the study is executed."""

    @property
    def capacity(self) -> int:
        """Segments that should be on their way at the same time."""

    @property
    def reports_at_end(self) -> bool:
        """True where reports come back with what was trained, as no worker reaches the store's journals."""

    def prepare(self, segment: Segment, data: PreparedData | None) -> None:
        """Leave what workers need that do not see the store."""

    def train(self, segment: Segment, data: PreparedData | None) -> TrainedSegment:
        """Train a segment in a worker process, or take what a worker of a dead driver leaves behind.

        Raises:
            TrialError: Training failed, diverged, took too long, or its worker died.
            StoreUnwritableError: The disk is full or fails.
        """

    def evaluate(
        self, segment: Segment, trained: TrainedSegment, data: PreparedData | None, part: Literal["valid", "test"]
    ) -> Evaluation:
        """Measure a trained segment in a worker process.

        Raises:
            TrialError: The model could not be loaded or measured.
            StoreUnwritableError: The disk is full or fails.
        """

    def collect(self, segment: Segment, trained: TrainedSegment, data: PreparedData | None) -> None:
        """Once the training is recorded: bring its checkpoint into the store, and take away what the worker left.

        What it left was for the case that the driver dies before it has recorded the training.
        """

    def call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """In the driver: call a function that loads what trainings load, beside the driver where there are workers.

        Raises:
            TrialError: It failed in a worker; elsewhere what it raises itself.
            StoreUnwritableError: The disk is full or fails.
        """

    def why_lost(self) -> str | None:
        """Asked in the driver when a worker was lost: what became of the whole cluster; None where it lives."""


def worker_settings(spec: StudySpec) -> WorkerSettings:
    """What the workers of a study keep to, as its file says."""
    run = spec.run
    return WorkerSettings(
        threads=run.threads,
        gpus=run.gpus_per_trial,
        processes=run.world_size,
        memory_bytes=parse_bytes(run.memory) if run.memory else None,
        imports=(
            *preload_for(spec.train),
            "pegbox.execution.segment_worker",
            *(BATCH_MODULES if run.batch else ()),
        ),
        code=code_modules(spec.train),
        keep=keep_reports,
    )


def start_early(spec: StudySpec) -> None:
    """Shorten the cold start: the workers' imports begin while the driver still starts its server and reads its data.

    Returns at once; a pool that is opened later with the same imports finds them done.
    """
    if spec.run.engine == "local":
        worker_context(worker_settings(spec).imports)
        # The process that all workers of this machine are forked from.
        forkserver.ensure_running()
