"""One place for one worker process of the fork server, seen from the driver: hands over a call, replaces a dead one.

Slots share no pipe and no lock, so a worker that dies while it holds one costs its own trial only, and a slot knows
which process (and which GPU) it has.
"""

import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import context, popen_forkserver, process, spawn
from typing import Any

from pegbox.execution.deadline import LOOK_SECONDS, Deadline
from pegbox.execution.descendants import GRACE_SECONDS, end_group
from pegbox.execution.trial_process import WarmUp
from pegbox.execution.worker_process import BEGAN, READY, STOP, serve
from pegbox.execution.worker_settings import WorkerEnvironment
from pegbox.schemas.errors import TrialError
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.training.failures import failed, failure_of_exit

# Picked by hand: data may come from a slow disk; too short a time would end healthy workers, too long a one only delays
# the word of a stuck one.
BEGIN_SECONDS = 600.0
"""What the call before left is ended, and data is loaded, before a call begins; a worker that takes longer is stuck."""
# Picked by hand, above what the worker takes to end a call that ran out of time: two clocks must not race.
LATE_SECONDS = 30.0
"""A worker keeps its call's time itself; one that is this much later has been stopped or hit, and is ended."""

# multiprocessing has no hook for what a child is told of the main module, so its function is replaced while one process
# starts; slots start theirs from threads of their own, which must not restore each other's.
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
    # OpenBLAS has its threads spin for some 20 ms (2^26 cycles) once they have nothing to do, and reads this
    # when it is loaded. 2^18 cycles are a tenth of a millisecond, longer than the pause between two products of one
    # estimator; a trial of two threads that does nothing took 1.7 ms of user time with it, and 7.5 ms without.
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "18")
    # Before the first process: a fork server that runs already never reads this list again.
    multiprocessing.set_forkserver_preload(list(preload))
    return _WorkerContext()


class Slot:
    """One worker process at a time, with its own connection and log."""

    def __init__(self, environment: WorkerEnvironment, mp_context: context.ForkServerContext) -> None:
        """Nothing is started by this."""
        self._environment = environment
        self._context = mp_context
        self._stopped = threading.Event()
        self._lock = threading.RLock()
        self._worker: _Worker | None = None

    @property
    def pid(self) -> int:
        """Process id of the worker; 0 before it is there."""
        worker = self._worker
        return worker.pid if worker else 0

    def start(self) -> None:
        """Start the worker, and return when it is ready or has failed to be."""
        with contextlib.suppress(Exception):  # the first trial meets the same error and reports it
            self._ready_worker(60)

    def run(
        self,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        timeout: float | None,
        warm_up: WarmUp | None = None,
    ) -> Any:
        """Call a function in a fresh process of the worker's and wait for its result.

        Args:
            function: Of an importable module.
            arguments: What it is called with; pickled.
            timeout: Seconds it may take.
            warm_up: A function of ours and its arguments, called once in the worker itself: what it loads and keeps is
                found by this call and the next ones.

        Raises:
            TrialError: The call raised, took longer than `timeout` seconds, or its process or worker ended.
        """
        # Pickled twice: to unpickle arguments may import the user's code, so the worker hands the inner part on unread
        # to the process of the call.
        request = pickle.dumps((pickle.dumps((function, arguments)), warm_up and pickle.dumps(warm_up), timeout))
        for _ in range(2):
            # Twice at most: that an idle worker was ended (by the out-of-memory killer, say) shows with the next call
            # only, which has not begun and so may be given to a fresh one.
            answer = self._try(request, timeout)
            if answer is not _NEVER_BEGAN:
                break
        if answer is _NEVER_BEGAN:
            log = f" Its output is in {self._log}." if self._log else ""
            raise failed(FailureKind.KILLED, f"the worker process could not start.{log}")
        if isinstance(answer, Failure):
            raise TrialError(answer)
        return answer

    def stop(self) -> None:
        """End the worker at once; a call that is running raises `TrialError` of the kind lost."""
        self._stopped.set()
        self._end_worker(politely=True)

    def _try(self, request: bytes, timeout: float | None) -> Any:
        """The answer to a call; a failure where there is none."""
        worker = None if self._stopped.is_set() else self._ready_worker(timeout)
        if worker is None:
            return _STOPPED if self._stopped.is_set() else _NEVER_BEGAN
        has_begun = False
        try:
            worker.send(request)
            has_begun = worker.hears(BEGIN_SECONDS) and worker.connection.recv_bytes() == BEGAN
            if has_begun and worker.hears(None if timeout is None else timeout + LATE_SECONDS):
                return pickle.loads(worker.connection.recv_bytes())  # noqa: S301 - written by the worker
        except (EOFError, OSError):
            if self._stopped.is_set():
                return _STOPPED
            code = worker.exit_code()
            self._end_worker()
            return failure_of_exit(code, log=self._log) if has_begun else _NEVER_BEGAN
        self._end_worker()
        if not has_begun:
            return _NEVER_BEGAN
        return failed(FailureKind.TIMEOUT, f"the worker gave no answer within {timeout} seconds and was ended.").failure

    @property
    def _log(self) -> str | None:
        return str(self._environment.log) if self._environment.log else None

    def _ready_worker(self, timeout: float | None) -> "_Worker | None":
        """The worker, started where there is none; None where it cannot be.

        One that did not get through the imports of the user's modules, or cannot be forked after them, is replaced by
        one that leaves them to its trials, which then tell what is wrong.
        """
        for _ in range(2):
            with self._lock:
                if self._stopped.is_set():
                    return None
                if self._worker is None:
                    self._worker = _Worker(self._environment, self._context)
                worker = self._worker
            if worker.is_ready(timeout):
                return worker
            self._end_worker()
            self._environment = replace(self._environment, forks_code=False)
        return None

    def _end_worker(self, *, politely: bool = False) -> None:
        with self._lock:
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.end(politely=politely)


class _Worker:
    """A worker process and the connection to it."""

    def __init__(self, environment: WorkerEnvironment, mp_context: context.ForkServerContext) -> None:
        # Shared memory and no message, so that a worker that hangs can still be found and ended; raw, because a lock
        # would stay taken for ever where its holder is killed.
        self._board = mp_context.RawArray("q", 2)
        self.connection, theirs = mp_context.Pipe()
        self._process = mp_context.Process(target=serve, args=(theirs, environment, self._board), daemon=True)
        self._process.start()
        # As long as this process held the other end too, the death of the worker would never be seen as the end of the
        # file.
        theirs.close()
        self._is_ready = False
        self._waiting, self._sending = threading.Lock(), threading.Lock()

    @property
    def pid(self) -> int:
        return int(self._board[0])

    def is_ready(self, timeout: float | None) -> bool:
        """Wait until calls may come; False where this process will take none."""
        with self._waiting:  # whoever started it in the background may be waiting already
            if not self._is_ready:
                with contextlib.suppress(EOFError, OSError):
                    self._is_ready = self.hears(timeout) and self.connection.recv_bytes() == READY
            return self._is_ready

    def hears(self, timeout: float | None) -> bool:
        """Wait for a word of the worker; False once so many seconds are over."""
        deadline = Deadline(timeout)
        while (left := deadline.left()) > 0:
            if self.connection.poll(min(LOOK_SECONDS, left)):
                return True
        return False

    def send(self, content: bytes) -> None:
        """Any thread may call it: one that stops the run as well as the one that hands over a call."""
        with self._sending:
            self.connection.send_bytes(content)

    def exit_code(self) -> int:
        """How it ended, or has to be ended now."""
        # A connection closes a moment before the kernel gives out the exit code.
        self._process.join(GRACE_SECONDS)
        return -signal.SIGKILL if self._process.exitcode is None else self._process.exitcode

    def end(self, *, politely: bool) -> None:
        """End it and its call; asked politely it ends daemons of the call as well."""
        if politely:
            with contextlib.suppress(OSError):
                self.send(STOP)
            self._process.join(3 * GRACE_SECONDS)
        # The worker before its call: one that lives would fork the next process. Both groups, because the call has a
        # session of its own, which no signal to the worker reaches.
        self._process.kill()
        self._process.join()
        for group in (int(self._board[1]), self.pid):
            end_group(group)
        with contextlib.suppress(OSError):
            self.connection.close()


_NEVER_BEGAN = object()
_STOPPED = Failure(kind=FailureKind.LOST, message="the worker was stopped with its study.")
