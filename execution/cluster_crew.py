"""The crew of a study on a cluster: travels with each task, and trains beside whatever process the task runs in."""

import multiprocessing
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Self, TypeVar, final

from pegbox.execution.pool import WorkerPool
from pegbox.execution.segment_calls import SegmentCalls
from pegbox.execution.segment_worker import handover_of
from pegbox.execution.worker_settings import WorkerSettings
from pegbox.schemas.data import PreparedData
from pegbox.schemas.errors import ClusterError
from pegbox.schemas.plan import RunSpec
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment
from pegbox.storage.layout import StoreLayout
from pegbox.training.resources import visible_gpus

Result = TypeVar("Result")

# Picked by hand: above the pause between two rungs; a worker that is ended too early only costs its start.
FORGOTTEN_SECONDS = 600
"""A worker that nobody has used for so long is ended when another run begins; its own run would start it again."""


@final
class ClusterCrew:
    """A `Crew` of one worker process for each thread of the cluster that trains, opened with its first segment.

    What the driver's own workers promise holds on every machine: a timeout that ends C code, a limit of memory, output
    in a log, and a crash that costs one trial.
    """

    reports_at_end = False

    def __init__(
        self,
        run: RunSpec,
        settings: WorkerSettings,
        store: StoreLayout,
        *,
        run_id: str,
        directory: Path,
        spreads_gpus: bool,
    ) -> None:
        """Nothing is started by this; the crew can be pickled.

        Args:
            run: How the study is executed.
            settings: What its workers keep to.
            store: A path that all machines share.
            run_id: Tells the workers of this run from those of others in the same process.
            directory: Where the workers work, shared as well.
            spreads_gpus: Whether the processes of a machine see all of its GPUs and are to choose one each.
        """
        self.run = run
        self.settings = settings
        self.store = store
        self.run_id = run_id
        self.directory = directory
        self.spreads_gpus = spreads_gpus
        self._why_lost: Callable[[], str | None] = lambda: None

    def asking(self, why_lost: Callable[[], str | None]) -> Self:
        """This crew, once it knows how the driver asks the cluster whether it is still there."""
        self._why_lost = why_lost
        return self

    def __getstate__(self) -> dict[str, Any]:
        """All but what only the driver can ask."""
        return {name: value for name, value in vars(self).items() if name != "_why_lost"}

    def why_lost(self) -> str | None:
        """See `Crew.why_lost`."""
        return self._why_lost()

    @property
    def capacity(self) -> int:
        """As many as there are workers: the cluster has a queue of its own."""
        return self.run.workers

    def prepare(self, segment: Segment, data: PreparedData | None) -> None:
        """Nothing: its workers see the store."""

    def train(self, segment: Segment, data: PreparedData | None) -> TrainedSegment:
        """See `Crew`."""
        return self._calls().train(segment, data)

    def evaluate(
        self, segment: Segment, trained: TrainedSegment, data: PreparedData | None, part: Literal["valid", "test"]
    ) -> Evaluation:
        """See `Crew`."""
        return self._calls().evaluate(segment, trained, data, part)

    def collect(self, segment: Segment, trained: TrainedSegment, data: PreparedData | None) -> None:
        """See `Crew`; the checkpoint is in the store already."""
        handover_of(segment, data, self.store).clear()

    def call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """See `Crew`; in the driver itself, which has no workers of its own."""
        return function(*arguments)

    def _calls(self) -> SegmentCalls:
        return SegmentCalls(self._pool(), self.store, self.run.timeout)

    def _pool(self) -> WorkerPool:
        """The worker of the calling thread."""
        key = (self.run_id, threading.get_ident())
        with _GUARD:
            if key not in _POOLS:
                _end_forgotten_pools()
                _POOLS[key] = self._open()
            _USED_AT[key] = time.monotonic()
            return _POOLS[key]

    def _open(self) -> WorkerPool:
        for path in (self.store.root, self.directory):
            if not path.is_dir():
                raise ClusterError(
                    f"Expected the folder {path} on every machine of the cluster, but {socket.gethostname()} has none. "
                    "Run the study in a folder that all machines share, with its store there, or set `run.shared`."
                )
        if self.spreads_gpus:
            _choose_gpu()
        # Dask calls its processes daemons, of which Python starts no children. Ours end with their parent anyway.
        multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined]
        logs = self.store.logs / f"{socket.gethostname()}-{os.getpid()}"
        return WorkerPool(1, self.settings, logs=logs, directory=self.directory)


# Of the process and not of the crew, which is unpickled anew with every task: workers have to outlive a task to be
# warm. By thread, because a thread of the cluster runs one task at a time, and so needs one worker.
_POOLS: dict[tuple[str, int], WorkerPool] = {}
_USED_AT: dict[tuple[str, int], float] = {}
_GUARD = threading.Lock()


def end_pools(run: str) -> None:
    """End the workers of a run in this process; calls that are running fail as lost."""
    with _GUARD:
        for key in [key for key in _POOLS if key[0] == run]:
            _POOLS.pop(key).stop()


def _end_forgotten_pools() -> None:
    """What was left in a process of Dask by a driver that died before it could end its workers."""
    for key, pool in list(_POOLS.items()):
        if pool.is_idle and time.monotonic() - _USED_AT[key] > FORGOTTEN_SECONDS:
            _POOLS.pop(key).stop()


def _choose_gpu() -> None:
    """Leave this worker of a local Dask cluster one of the machine's GPUs, by its number."""
    from distributed import get_worker

    if gpus := visible_gpus():
        os.environ["CUDA_VISIBLE_DEVICES"] = gpus[int(get_worker().name) % len(gpus)]
