"""One place for one worker process, seen from the driver: hand over a call, wait, replace what hung or died.

Each slot is a `pebble` pool of one process. Slots share no pipe and no lock, so a worker that dies while it holds one
costs its own trial only, and a slot knows which process (and which GPU) it has.
"""

import contextlib
import itertools
import math
import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import context, popen_forkserver, process, spawn
from typing import Any

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from pegbox.execution.worker_process import Surroundings, call, prepare_process
from pegbox.schemas.errors import TrialError
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.training.failures import failed, failure_of_exit
from pegbox.training.resources import count_out_of_memory_kills

LOOK_SECONDS = 0.5
"""How often a slot looks whether its worker still lives; pebble misses one that ends with exit code 0."""
SUSPENDED_SECONDS = 5.0
"""A longer gap between two looks means that the machine, or the driver, slept: no trial's clock ran meanwhile."""
GRACE_SECONDS = 1.0
"""What is left of a worker's process group may end by itself for so long."""

_MAIN_MODULE_LOCK = threading.Lock()
_MAIN_MODULE_KEYS = ("init_main_from_name", "init_main_from_path")


class _Popen(popen_forkserver.Popen):
    """Starts a process that does not import the driver's main module.

    Workers call functions of installed modules only; importing a user's script that lacks the guard
    `if __name__ == "__main__"` would run the study inside its own workers.
    """

    def _launch(self, process_obj: process.BaseProcess) -> None:
        prepare = spawn.get_preparation_data

        def without_main(name: str) -> dict[str, Any]:
            return {key: value for key, value in prepare(name).items() if key not in _MAIN_MODULE_KEYS}

        with _MAIN_MODULE_LOCK:
            spawn.get_preparation_data = without_main
            try:
                super()._launch(process_obj)  # type: ignore[misc]
            finally:
                spawn.get_preparation_data = prepare


class _Process(context.ForkServerProcess):
    @staticmethod
    def _Popen(process_obj: process.BaseProcess) -> Any:  # noqa: N802 - the name that multiprocessing asks for
        return _Popen(process_obj)


class _WorkerContext(context.ForkServerContext):
    Process = _Process


def worker_context(preload: tuple[str, ...]) -> context.ForkServerContext:
    """How worker processes start: forked from a clean server that has imported these modules already."""
    multiprocessing.set_forkserver_preload(list(preload))
    return _WorkerContext()


class Slot:
    """One worker process at a time, with its own pool, log and process group."""

    def __init__(self, surroundings: Surroundings, mp_context: context.ForkServerContext, recycle_bytes: int) -> None:
        """Open the slot; `recycle_bytes` is what a worker may hold between two calls before it is replaced."""
        self._surroundings = surroundings
        self._recycle_bytes = recycle_bytes
        self._context = mp_context
        self._numbers = itertools.count(1)
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._open()

    def _open(self) -> None:
        self._board = self._context.RawArray("q", 4)
        self._pool = ProcessPool(
            max_workers=1,
            initializer=prepare_process,
            initargs=(self._surroundings, self._board),
            context=self._context,
        )

    @property
    def pid(self) -> int:
        """Process id of the worker; 0 before it is ready."""
        return int(self._board[0])

    def start(self) -> None:
        """Start the worker, and return when it is ready or has failed to be."""
        with contextlib.suppress(Exception):  # the first trial meets the same error and reports it
            self._schedule(os.getpid, (), None)[1].exception(timeout=60)

    def run(self, function: Callable[..., Any], arguments: tuple[Any, ...], timeout: float | None) -> Any:
        """Call a function in the worker and wait for its result.

        Raises:
            TrialError: The call raised, took longer than `timeout` seconds, or its worker ended.
        """
        for _ in range(2):
            answer = self._try(function, arguments, timeout)
            if answer is not _NEVER_BEGAN:
                break
            self._reopen()
        self._replace_if_grown()
        if answer is _NEVER_BEGAN:
            log = f" Its output is in {self._surroundings.log}." if self._surroundings.log else ""
            raise failed(FailureKind.KILLED, f"the worker process could not start.{log}")
        if isinstance(answer, Failure):
            raise TrialError(answer)
        return answer

    def stop(self) -> None:
        """End the worker at once; a call that is running raises `TrialError` of the kind lost."""
        self._stopped.set()
        with self._lock:
            pid = self.pid
            self._pool.stop()  # type: ignore[no-untyped-call]
            self._pool.join()
            end_group(pid)

    def _schedule(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], timeout: float | None
    ) -> tuple[int, ProcessFuture[Any]]:
        number = next(self._numbers)
        payload = pickle.dumps((function, arguments), protocol=pickle.HIGHEST_PROTOCOL)
        with self._lock:
            return number, self._pool.schedule(call, args=(number, payload, timeout))

    def _try(self, function: Callable[..., Any], arguments: tuple[Any, ...], timeout: float | None) -> Any:
        kills_before = count_out_of_memory_kills()
        try:
            number, future = self._schedule(function, arguments, timeout)
        except RuntimeError:  # the pool broke while nobody used it
            return _NEVER_BEGAN
        pid, is_overdue = self._wait(number, future, math.inf if timeout is None else timeout)
        if self._stopped.is_set() and (not future.done() or future.exception() is not None):
            return failed(FailureKind.LOST, "the worker was stopped with its study.").failure
        if is_overdue and not future.done():
            self._reopen()
            return failed(FailureKind.TIMEOUT, f"the trial ran longer than {timeout:g} seconds and was ended.").failure
        if not future.done():
            self._reopen()
            return failure_of_exit(0, log=self._log)
        try:
            return future.result()
        except ProcessExpired as error:
            end_group(error.pid or pid)
            more_kills = count_out_of_memory_kills() > kills_before
            return failure_of_exit(int(error.exitcode), out_of_memory=more_kills, log=self._log)
        except BrokenProcessPool:
            if self._board[1] != number:
                return _NEVER_BEGAN
            self._reopen()
            return failed(FailureKind.KILLED, "the worker ended as soon as the trial began.").failure

    @property
    def _log(self) -> str | None:
        return str(self._surroundings.log) if self._surroundings.log else None

    def _wait(self, number: int, future: ProcessFuture[Any], timeout: float) -> tuple[int, bool]:
        """Wait for an answer, for the timeout, or for a worker that ended without pebble noticing.

        Pebble's own timeout looks at the wall clock, which jumps while a machine sleeps.

        Returns:
            The worker's pid, and whether the call took longer than `timeout` seconds.
        """
        pid, looks_since_end, left, looked_at = 0, 0, timeout, time.monotonic()
        while not wait([future], timeout=min(LOOK_SECONDS, left)).done and not self._stopped.is_set():
            now = time.monotonic()
            if pid and now - looked_at < SUSPENDED_SECONDS:
                left -= now - looked_at
            looked_at = now
            if self._board[1] == number and not pid:
                pid = int(self._board[3])  # not `self.pid`: another worker may have come already
            if left <= 0:
                return pid, True
            gone = pid != 0 and (pid != self.pid or not _is_alive(pid))
            looks_since_end = looks_since_end + 1 if gone else 0
            if looks_since_end > 1:
                break
        return pid or self.pid, False

    def _replace_if_grown(self) -> None:
        """Start afresh where a trial left too little memory to the next: code that leaks, leaks into its worker."""
        if self._board[2] > self._recycle_bytes:
            self._reopen()

    def _reopen(self) -> None:
        pid = self.pid
        with self._lock:
            self._pool.stop()  # type: ignore[no-untyped-call]
            self._pool.join()
            end_group(pid)
            if not self._stopped.is_set():
                self._open()


_NEVER_BEGAN = object()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def end_group(group: int) -> None:
    """End every process that is left of a worker's process group; first politely."""
    if group <= 1 or not _signal_group(group, signal.SIGTERM):
        return
    patience = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < patience:
        time.sleep(0.02)
        if not _signal_group(group, 0):
            return
    _signal_group(group, signal.SIGKILL)


def _signal_group(group: int, number: int) -> bool:
    """True if the group has a process that took the signal."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
