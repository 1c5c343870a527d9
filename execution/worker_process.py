"""What happens inside a worker process: its surroundings, and one call at a time; the driver's side is `slot`."""

import contextlib
import ctypes
import fcntl
import math
import os
import pickle
import resource
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing import connection, parent_process
from pathlib import Path
from typing import Any

from pegbox.schemas.failure import Failure
from pegbox.training.failures import failure_of
from pegbox.training.resources import limit_threads, memory_in_use

MAX_LOG_BYTES = 10_000_000
"""A worker's log is emptied between two trials once it is longer."""
ORPHAN_SECONDS = 600.0
"""A worker whose driver died may finish the call it is in for so long; an idle one ends at once."""

_F_SETSIG = 10  # Linux only, and not named by the fcntl module everywhere
_UNUSED_SIGNAL = 16  # SIGSTKFLT: Linux knows it and never sends it


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a worker process is given once, before its first trial.

    Attributes:
        environment: All environment variables of the driver; the fork server may be older than they are.
        directory: The working directory.
        paths: `sys.path` of the driver.
        threads: CPU threads of the worker.
        memory_bytes: The most memory it may take; None for no limit.
        log: Where its output goes; None leaves it on the terminal.
        imports: Modules that are imported before the first trial; one that is missing is passed over.
    """

    environment: Mapping[str, str]
    directory: Path
    paths: tuple[str, ...]
    threads: int
    memory_bytes: int | None = None
    log: Path | None = None
    imports: tuple[str, ...] = ()


@dataclass(slots=True)
class _Process:
    """The state of this process.

    The driver reads `board`: [process id, number of the call that has begun, bytes in use after the last call,
    process id of that call].
    """

    board: Any = field(default=None)
    log: Path | None = None
    directory: Path = field(default_factory=Path)
    idle: threading.Event = field(default_factory=threading.Event)
    ends_at: float = math.inf


_PROCESS = _Process()


def prepare_process(surroundings: Surroundings, board: Any) -> None:
    """Make this process a worker: a group of its own that ends soon after the driver."""
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a Python handler would wait for the end of C code
    _PROCESS.idle.set()
    _end_with_parent()
    os.environ.clear()
    os.environ.update(surroundings.environment)
    os.chdir(surroundings.directory)
    sys.path[:] = surroundings.paths
    if surroundings.log is not None:
        _redirect_output(surroundings.log)
    _PROCESS.board, _PROCESS.log, _PROCESS.directory = board, surroundings.log, surroundings.directory
    for module in surroundings.imports:
        _import_if_there(module)
    limit_threads(surroundings.threads)
    if surroundings.memory_bytes is not None:
        # Not RLIMIT_AS: libraries and CUDA reserve far more addresses than they use.
        resource.setrlimit(resource.RLIMIT_DATA, (surroundings.memory_bytes, surroundings.memory_bytes))
    board[0] = os.getpid()


def call(number: int, payload: bytes, timeout: float | None) -> Any | Failure:
    """Run one pickled call and answer with its result, or with the failure as a fact.

    The driver sees to the timeout; the worker, only once the driver is dead.

    No exception of the user's crosses to the driver: many cannot be pickled, and one that cannot breaks a pool.
    """
    own_pid = os.getpid()
    _PROCESS.ends_at = time.monotonic() + (math.inf if timeout is None else timeout)
    _PROCESS.idle.clear()
    _PROCESS.board[3] = own_pid
    _PROCESS.board[1] = number
    try:
        function, arguments = pickle.loads(payload)  # noqa: S301 - written by the driver
        answer = function(*arguments)
    except BaseException as error:  # noqa: BLE001 - SystemExit is the trial's end, not the worker's
        answer = failure_of(error)
    if os.getpid() != own_pid:
        os._exit(0)  # a child that the call forked and that returned; only its parent answers
    _clean_up()
    _PROCESS.board[2] = memory_in_use()
    _PROCESS.idle.set()
    return answer


def _end_with_parent() -> None:
    """End this process and its group when the driver dies, once the call that it is in has ended."""
    parent = parent_process()
    if parent is None:
        return
    sentinel: int = parent.sentinel
    if sys.platform == "linux":
        _arm_kernel(sentinel)
    threading.Thread(target=_wait_for_end, args=(sentinel,), daemon=True).start()


def _arm_kernel(sentinel: int) -> None:
    """Have the kernel end this process even where C code never lets Python run again.

    When the driver's end of the pipe closes, the kernel sends a signal; its handler is the C function `alarm`, which
    takes the signal's number for seconds.
    """
    c = ctypes.CDLL(None)
    c.signal(_UNUSED_SIGNAL, ctypes.cast(c.alarm, ctypes.c_void_p))
    fcntl.fcntl(sentinel, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(sentinel, _F_SETSIG, _UNUSED_SIGNAL)
    fcntl.fcntl(sentinel, fcntl.F_SETFL, fcntl.fcntl(sentinel, fcntl.F_GETFL) | os.O_ASYNC)


def _wait_for_end(sentinel: int) -> None:
    connection.wait([sentinel])
    signal.alarm(0)  # Python runs: this thread is in time itself
    _PROCESS.idle.wait(max(0.0, min(ORPHAN_SECONDS, _PROCESS.ends_at - time.monotonic())))
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _redirect_output(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for descriptor in (1, 2):
        os.dup2(target, descriptor)
        os.set_inheritable(descriptor, True)
    if target > 2:
        os.close(target)
    sys.stdout = open(1, "w", buffering=1, errors="replace", closefd=False)  # noqa: SIM115 - a descriptor
    sys.stderr = open(2, "w", buffering=1, errors="replace", closefd=False)  # noqa: SIM115


def _clean_up() -> None:
    """Give the next trial the output and the directory that this one found."""
    with contextlib.suppress(OSError):  # the directory is gone: the next trial will say so
        os.chdir(_PROCESS.directory)
    if _PROCESS.log is None:
        return
    try:
        sys.stdout.flush()
        sys.stderr.flush()
        if os.fstat(1).st_size > MAX_LOG_BYTES:
            os.truncate(_PROCESS.log, 0)
        os.fstat(2)
    except (OSError, ValueError):  # the call closed its output, or took the log away
        _redirect_output(_PROCESS.log)


def _import_if_there(module: str) -> None:
    try:
        import_module(module)
    except ImportError as error:
        sys.stderr.write(f"{module} could not be imported beforehand: {error}\n")
