"""From what a worker raised, or how it ended, to the fact that the history keeps; raises nothing itself."""

import errno
import signal
import traceback

from pegbox.schemas.errors import PegboxError, StoreError, TrialError
from pegbox.schemas.failure import Failure, FailureKind

# No trial can help these, and every later one would meet them: they end the run.
_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG}

# By text: torch raises a plain RuntimeError for the CPU's memory, C++ libraries whatever binds them.
_OUT_OF_MEMORY_TEXTS = ("can't allocate memory", "out of memory", "std::bad_alloc", "cannot allocate memory")


def failed(kind: FailureKind, message: str, trace: str | None = None) -> TrialError:
    """An error that carries the failure."""
    return TrialError(Failure(kind=kind, message=message, traceback=trace))


def failure_of(error: BaseException) -> Failure:
    """What the history keeps of an exception that training raised."""
    if isinstance(error, TrialError):
        return error.failure
    trace = "".join(traceback.format_exception(error))
    text = _text(error)
    message = text if isinstance(error, PegboxError) else f"{type(error).__name__}: {text}".rstrip(": ")
    return failed(_kind_of(error, text), message, trace).failure


def _kind_of(error: BaseException, text: str) -> FailureKind:
    if isinstance(error, StoreError) or (isinstance(error, OSError) and error.errno in _DISK_ERRORS):
        return FailureKind.STORE
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return FailureKind.OUT_OF_MEMORY
    if isinstance(error, OSError | RuntimeError) and any(known in text.lower() for known in _OUT_OF_MEMORY_TEXTS):
        return FailureKind.OUT_OF_MEMORY
    if isinstance(error, FloatingPointError):
        return FailureKind.DIVERGED
    return FailureKind.ERROR


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an exception of the user's whose own text fails
        return ""


def failure_of_exit(code: int, *, out_of_memory: bool = False, log: str | None = None) -> Failure:
    """What the history keeps of a process that ended instead of answering.

    Args:
        code: Exit code; a negative one is the number of the signal that ended it.
        out_of_memory: True if the system ended a process for lack of memory meanwhile.
        log: Where the output of the process can be read.
    """
    where = f" Its output is in {log}." if log else ""
    if code >= 0:
        return failed(FailureKind.KILLED, f"the worker ended with exit code {code} while it trained.{where}").failure
    name = signal_name(-code)
    if -code == signal.SIGKILL and out_of_memory:
        message = f"the system ran out of memory and ended the worker ({name}). Lower run.workers or the model's size."
        return failed(FailureKind.OUT_OF_MEMORY, message).failure
    return failed(FailureKind.KILLED, f"the worker was ended by {name} while it trained.{where}").failure


def signal_name(number: int) -> str:
    """`SIGKILL` for 9; `signal 77` where the system has no name for it."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
