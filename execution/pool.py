"""The worker pool: warm processes, each call's clock of its own; what a call computes is none of its business."""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import LifoQueue
from typing import Any, Self, TypeVar

from pegbox.execution.slot import Slot, worker_context
from pegbox.execution.trial_process import WarmUp
from pegbox.execution.worker_settings import WorkerEnvironment, WorkerSettings
from pegbox.training.ranks import PROCESSES
from pegbox.training.resources import available_cores, total_memory_bytes, visible_gpus

Result = TypeVar("Result")

# Picked by hand: the next call has the other half. Less would give up warm GPU contexts for a library's caches, more
# would fail a trial for what the one before it left.
KEPT_SHARE = 0.5
"""A process that holds more of a worker's memory than this after a call serves no further one."""

DEFAULTS = WorkerSettings()


class WorkerPool:
    """As many warm worker processes as asked; each call runs in a process forked for it, and costs no other.

    The processes start at once, in the background, so that their imports overlap with what the driver does meanwhile.
    They end with the driver, even if it is killed.
    """

    def __init__(
        self,
        workers: int,
        settings: WorkerSettings = DEFAULTS,
        *,
        logs: Path | None = None,
        directory: Path | None = None,
    ) -> None:
        """Start the workers.

        Args:
            workers: Number of processes.
            settings: What each keeps to.
            logs: Directory for `worker-<number>.log`, where all output of a worker goes.
            directory: Where the workers work; the current directory where it is left out.
        """
        self.stopped = threading.Event()
        """Set when the workers are ended."""
        # torch and BLAS start a thread a core in every process; workers that all did so would fight for the cores.
        self.threads = settings.threads or max(1, available_cores() // (workers * settings.processes))
        context = worker_context(settings.imports)
        gpus = visible_gpus()
        kept_bytes = int(KEPT_SHARE * (settings.memory_bytes or total_memory_bytes() // workers))
        self._slots = tuple(
            Slot(
                WorkerEnvironment(
                    settings=settings,
                    threads=self.threads,
                    variables=_variables(gpus, number, settings),
                    directory=directory or Path.cwd(),
                    paths=tuple(sys.path),
                    kept_bytes=kept_bytes,
                    log=None if logs is None else (logs / f"worker-{number}.log").absolute(),
                ),
                context,
            )
            for number in range(workers)
        )
        # Last in, first out: where calls are fewer than workers, the same few serve them, and only these load the data.
        self._free: LifoQueue[Slot] = LifoQueue()
        for slot in reversed(self._slots):
            self._free.put(slot)
        self._starting = [threading.Thread(target=slot.start, daemon=True) for slot in self._slots]
        for thread in self._starting:
            thread.start()

    @property
    def is_idle(self) -> bool:
        """True while no call is running."""
        return self._free.qsize() == len(self._slots)

    def warm(self) -> None:
        """Wait until every worker is ready."""
        for thread in self._starting:
            thread.join()

    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers, in order of their numbers; 0 for one that is not ready yet."""
        return tuple(slot.pid for slot in self._slots)

    def run(
        self,
        function: Callable[..., Result],
        *arguments: Any,
        timeout: float | None = None,
        warm_up: WarmUp | None = None,
    ) -> Result:
        """Call a function of an importable module in a free worker, and wait for its result; any thread may call.

        Args:
            function: Found by the worker under its module and name.
            arguments: What it is called with; pickled.
            timeout: Seconds it may take, counted from the moment when its worker begins.
            warm_up: See `Slot.run`.

        Raises:
            TrialError: The call raised (error, out of memory, diverged, invalid), took too long (timeout), its worker
                ended (killed, out of memory), or the pool was stopped (lost).
        """
        with self.reserved() as slot:
            return slot.run(function, arguments, timeout, warm_up)  # type: ignore[no-any-return]

    @contextmanager
    def reserved(self) -> Iterator[Slot]:
        """Wait for a free worker, for several calls one after another."""
        slot = self._free.get()
        try:
            yield slot
        finally:
            self._free.put(slot)

    def stop(self) -> None:
        """End all workers at once; calls that are running raise `TrialError` of the kind lost."""
        self.stopped.set()
        # All at once: each may take some seconds to leave politely, which a large pool would add up.
        stopping = [threading.Thread(target=slot.stop) for slot in self._slots]
        for thread in stopping:
            thread.start()
        for thread in stopping:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _variables(gpus: tuple[str, ...], number: int, settings: WorkerSettings) -> dict[str, str]:
    """The driver's environment, with the GPUs of one trial where there are any, and how many processes share them."""
    n_places = max(1, len(gpus) // settings.gpus)
    first = number % n_places * settings.gpus
    chosen = {"CUDA_VISIBLE_DEVICES": ",".join(gpus[first : first + settings.gpus])} if gpus else {}
    return {**os.environ, **chosen, PROCESSES: str(settings.processes)}
