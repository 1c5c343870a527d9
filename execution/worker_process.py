"""What happens inside a worker process: it imports once, and forks a fresh process for each call; the driver's side is
`slot`.

No code of the user's runs here but the imports of its modules, so no call can spoil the worker for the next one. What a
call leaves (processes, daemons too) is ended with it. One thread only, so that a fork copies no lock that is held.
"""

import contextlib
import gc
import os
import pickle
import signal
import sys
from importlib import import_module
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any

from pegbox.execution.deadline import LOOK_SECONDS, Deadline
from pegbox.execution.descendants import adopt_orphans, children, end_descendants, exit_code_of, open_end
from pegbox.execution.leftovers import is_gpu_in_use, n_threads, open_descriptors
from pegbox.execution.trial_process import ANSWER, DEAF, NOTE, STAYS, import_code, run_calls
from pegbox.execution.worker_settings import WorkerEnvironment
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.training import resources
from pegbox.training.failures import failed, failure_of, failure_of_exit
from pegbox.training.resources import count_out_of_memory_kills, limit_threads, thread_pools

# Picked by hand: progress bars of many trials would fill a disk, and people read the last trial's output.
MAX_LOG_BYTES = 10_000_000
"""A worker's log is emptied between two trials once it is longer."""
# Ten minutes (docs/decisions/0005): a segment that ends in them is taken by the next run, while one that hangs does not
# hold a machine that nobody watches.
ORPHAN_SECONDS = 600.0
"""A call whose driver died may go on for so long; an idle worker ends at once."""
# Picked by hand: trackers upload their last points at exit; the worker takes no further call meanwhile.
LEAVE_SECONDS = 10.0
"""What a call has registered to run at its exit may take so long; its answer is given before."""
_DEATH_SECONDS = 1.0
"""A process that closed its connection is given so long to end by itself."""
# Picked by hand: above the usual five folds, and few enough that old data is not held for ever.
MAX_WARM = 8
"""Warm-ups that a worker remembers: one for each fold of its data, mostly."""

READY, UNFIT, BEGAN, STOP = b"R", b"U", b"B", b"E"
"""Words between driver and worker: calls may come; this process cannot be forked; a call has begun; end now."""


def serve(driver: Connection, environment: WorkerEnvironment, board: Any) -> None:
    """Be a worker until the driver lets go of its end of the connection.

    Args:
        driver: Takes calls, pickled `(payload, warm_up, seconds)`, and gives answers, pickled results or failures.
        environment: What to prepare.
        board: Shared with the driver: [process id of the worker, of the process of its call].
    """
    board[0] = os.getpid()
    prepare_process(environment)
    n_own_threads = n_threads()  # OpenBLAS ends its own before a fork
    # After the environment is set: modules read OMP_NUM_THREADS or CUDA_VISIBLE_DEVICES once, while they are imported.
    if environment.forks_code:
        import_code(environment)
        _restore(environment)
        thread_pools()  # here, so that no process of a call has to look for them
    with contextlib.suppress(OSError, EOFError):  # the driver is gone
        if n_threads() > n_own_threads or is_gpu_in_use():
            driver.send_bytes(UNFIT)
        else:
            driver.send_bytes(READY)
            _Worker(driver, environment, board).serve()
    end_descendants()
    os._exit(0)  # threads and exit handlers of the user's modules are not waited for


def prepare_process(environment: WorkerEnvironment) -> None:
    """Make this process a worker: a group of its own, the driver's environment, our imports."""
    os.setsid()
    adopt_orphans()
    # The fork server may have been started early, before the driver set all of its variables.
    os.environ.clear()
    os.environ.update(environment.variables)
    sys.path[:] = environment.paths
    if environment.log is not None:
        _redirect_output(environment)
    _restore(environment)
    for module in environment.settings.imports:
        _import_if_there(module)
    limit_threads(1)  # OpenMP's threads do not live through a fork, and what waits for them waits for ever
    resources.worker_pid = os.getpid()


def _restore(environment: WorkerEnvironment) -> None:
    """What imports of the user's modules may have changed of this process itself."""
    # Ended at once, as a Python handler would wait for the end of C code; a handler here would be every call's.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for the driver, which lets calls end
    with contextlib.suppress(OSError):  # the directory is gone: the trial will say so
        os.chdir(environment.directory)


class _Worker:
    """Serves one call after the other, each in a process that waits for it already."""

    def __init__(self, driver: Connection, environment: WorkerEnvironment, board: Any) -> None:
        self._driver, self._environment, self._board = driver, environment, board
        self._bystanders = children()
        self._warmed: list[bytes] = []
        self._uses_gpu = False
        self._files = open_descriptors()
        gc.collect()
        gc.freeze()  # a collection in a child would write to, and so copy, all that it shares with this process
        self._child = self._fork()

    def serve(self) -> None:
        """Until the driver lets go, or says so."""
        while (request := self._driver.recv_bytes()) != STOP:
            payload, warm_up, seconds = pickle.loads(request)  # noqa: S301 - written by the driver
            self._warm(warm_up)
            self._driver.send_bytes(BEGAN)
            answer, is_orphan = self._child.run(payload, Deadline(seconds), self._driver)
            if is_orphan:
                break
            # Before the next process is made: with torch a fork and its end take 11 ms (docs/decisions/0005), which
            # pass while the driver records the trial.
            self._driver.send_bytes(answer)
            self._renew()

    def _warm(self, warm_up: bytes | None) -> None:
        """Load what this call and those after it read, once for all of them; and see that somebody waits for it."""
        if warm_up is not None and warm_up not in self._warmed:
            self._warmed = [*self._warmed[1 - MAX_WARM :], warm_up]
            with contextlib.suppress(Exception):  # the call meets the same error and tells it
                function, arguments = pickle.loads(warm_up)  # noqa: S301 - written by the driver
                function(*arguments)
            self._renew(even_if_it_stays=True)
        elif self._child.exit_code() is not None:
            self._child = self._fork()

    def _renew(self, *, even_if_it_stays: bool = False) -> None:
        """A fresh process for the next call, once the one before and all that it started are gone."""
        self._uses_gpu = self._uses_gpu or self._child.used_gpu
        stays = not even_if_it_stays and self._child.stays()
        if not stays or children() - self._bystanders - {self._child.pid}:  # it is its own judge, but of no daemons
            self._child.end(self._bystanders)
            self._child = self._fork()
        _tidy_log(self._environment)

    def _fork(self) -> "_Child":
        ours, theirs = Pipe()
        # What waits in these buffers would be written twice, by this process and by its copy.
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            try:
                self._close_own(theirs)
                run_calls(theirs, self._environment, uses_gpu=self._uses_gpu)
            finally:
                os._exit(1)
        theirs.close()
        self._board[1] = pid
        return _Child(pid, ours, self._environment)

    def _close_own(self, kept: Connection) -> None:
        """In the child: its worker's connections and journal, which no call should be able to reach."""
        for number in open_descriptors() - self._files - {kept.fileno()} | {self._driver.fileno()}:
            with contextlib.suppress(OSError):  # the listing's own is closed again
                os.close(number)


_GOES_ON = object()


class _Child:
    """The process of one call, seen from its worker."""

    def __init__(self, pid: int, connection: Connection, environment: WorkerEnvironment) -> None:
        self.pid = pid
        self.used_gpu = False
        self._connection = connection
        self._environment = environment
        self._has_answered = False
        self._code: int | None = None
        self._ends = open_end(pid)

    def run(self, payload: bytes, deadline: Deadline, driver: Connection) -> tuple[bytes, bool]:
        """The pickled answer of a call, and True where nobody waits for it any more."""
        # The kernel says how many processes it has ended for lack of memory, and not which: only a difference tells.
        self._kills_before = count_out_of_memory_kills()
        with contextlib.suppress(OSError):  # it has ended; the wait tells how
            self._connection.send_bytes(payload)
        answer, is_orphan = self._wait(deadline, driver)
        return pickle.dumps(answer, protocol=pickle.HIGHEST_PROTOCOL), is_orphan

    def _wait(self, deadline: Deadline, driver: Connection) -> tuple[Any, bool]:
        is_orphan = False
        while (left := deadline.left()) > 0:
            self._sleep(left, *([] if is_orphan else [driver]))
            if not is_orphan and driver.poll():
                with contextlib.suppress(EOFError, OSError):
                    driver.recv_bytes()  # the driver says nothing but STOP meanwhile
                    return None, True
                is_orphan = True
                deadline.shorten(ORPHAN_SECONDS)
            answer = self._heard()
            if answer is not _GOES_ON:
                return answer, is_orphan
        allowed = ORPHAN_SECONDS if deadline.seconds is None else deadline.seconds
        message = f"the trial ran longer than {allowed:g} seconds and was ended."
        return failed(FailureKind.TIMEOUT, message).failure, is_orphan

    def _heard(self) -> Any:
        """What the process has answered, or how it ended."""
        code = self.exit_code()  # asked first: what it said before it ended is in the connection by now
        try:
            while self._connection.poll():
                message = self._connection.recv_bytes()
                if message[:1] == ANSWER:
                    self._has_answered = True
                    answer, self.used_gpu = pickle.loads(message[1:])  # noqa: S301 - written by its process
                    return answer
                self._keep(message)
        except (EOFError, OSError):
            code = self.exit_code(_DEATH_SECONDS)
            return self._failure_of_end(DEAF if code is None else code)
        except Exception as error:  # noqa: BLE001 - a note that cannot be kept, or an answer that cannot be read
            return failure_of(error)
        return _GOES_ON if code is None else self._failure_of_end(code)

    def _keep(self, message: bytes) -> None:
        if message[:1] == NOTE and self._environment.settings.keep is not None:
            self._environment.settings.keep(pickle.loads(message[1:]))  # noqa: S301 - written by its process

    def _failure_of_end(self, code: int) -> Failure:
        if code == DEAF:
            message = (
                "the trial closed descriptors that it had not opened, among them the one on which its worker waits for "
                "the answer. Close what the code has opened itself."
            )
            return failed(FailureKind.ERROR, message).failure
        log = str(self._environment.log) if self._environment.log else None
        more_kills = count_out_of_memory_kills() > self._kills_before
        return failure_of_exit(code, out_of_memory=more_kills, log=log)

    def exit_code(self, patience: float = 0.0) -> int | None:
        """How it ended, waited for so many seconds; None while it lives."""
        if self._code is None:
            self._code = exit_code_of(self.pid, patience)
        return self._code

    def stays(self) -> bool:
        """True where it has found itself as it was, and takes the next call; False once it has ended or should."""
        deadline = Deadline(LEAVE_SECONDS)
        while self._has_answered and (left := deadline.left()) > 0:
            self._sleep(left)
            try:
                if self._connection.poll() and self._connection.recv_bytes() == STAYS:
                    self._has_answered = False
                    return True
            except (EOFError, OSError):
                self.exit_code(deadline.left())
                break
            if self.exit_code() is not None:
                break
        return False

    def _sleep(self, seconds: float, *others: Connection) -> None:
        """Until the process says something or ends, or another does, or it is time to look at the clock."""
        ends = [] if self._ends is None else [self._ends]  # a child of its own may hold the connection open
        wait([self._connection, *ends, *others], min(LOOK_SECONDS, seconds))

    def end(self, bystanders: frozenset[int]) -> None:
        """End it with all that it started."""
        self._connection.close()
        if self._ends is not None:
            os.close(self._ends)
        end_descendants(bystanders, group=self.pid)


def _redirect_output(environment: WorkerEnvironment) -> None:
    assert environment.log is not None
    environment.log.parent.mkdir(parents=True, exist_ok=True)
    target = os.open(environment.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor in (1, 2):
        os.dup2(target, descriptor)
        os.set_inheritable(descriptor, True)
    if target > 2:
        os.close(target)
    sys.stdout = open(1, "w", buffering=1, errors="replace", closefd=False)  # noqa: SIM115 - a descriptor
    sys.stderr = open(2, "w", buffering=1, errors="replace", closefd=False)  # noqa: SIM115


def _tidy_log(environment: WorkerEnvironment) -> None:
    """Keep the log short, and let there be one where a call took it away."""
    if environment.log is None:
        return
    with contextlib.suppress(OSError):
        if os.fstat(1).st_nlink == 0 or not environment.log.exists():
            _redirect_output(environment)
        elif os.fstat(1).st_size > MAX_LOG_BYTES:
            os.truncate(environment.log, 0)


def _import_if_there(module: str) -> None:
    try:
        import_module(module)
    except ImportError as error:
        sys.stderr.write(f"{module} could not be imported beforehand: {error}\n")
