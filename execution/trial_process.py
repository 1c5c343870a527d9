"""What happens inside the process that a call is run in: forked for it, gone after it; `worker` forks and ends it.

Whatever the call changes, opens, starts or breaks goes with this process. Only one that holds a GPU, whose context
takes long to make, or whose code cannot be forked, serves a further call, and only if it is found as it was
(`leftovers`).
"""

import atexit
import contextlib
import multiprocessing
import os
import pickle
import resource
import signal
import sys
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from pegbox.execution.descendants import end_with_parent
from pegbox.execution.leftovers import Baseline, is_gpu_in_use
from pegbox.execution.worker_settings import WorkerEnvironment
from pegbox.schemas.failure import FailureKind
from pegbox.training.failures import failed, failure_of
from pegbox.training.resources import limit_threads

ANSWER, NOTE, STAYS = b"A", b"N", b"S"
"""First byte of a message to the worker: the call's answer; something to be kept; the next call may come."""
DEAF = 83
"""Exit code of a process whose call has closed the connection to its worker; picked by hand, no shell uses it."""


WarmUp = tuple[Callable[..., Any], tuple[Any, ...]]
"""A function and its arguments, called in a worker for what all the processes that it forks then find."""


@dataclass(slots=True)
class _Here:
    """This process, where it is one that runs a call."""

    worker: Connection | None = field(default=None)
    pid: int = 0
    finalizers: Any = None


_HERE = _Here()


def is_in_trial() -> bool:
    """True in a process that was forked to run a call."""
    return _HERE.worker is not None


def note(content: Any) -> None:
    """Have the worker keep something, in the order of the calls; it is kept before the call's answer is given.

    Raises:
        TrialError: The call has forked, and its child calls this.
    """
    assert _HERE.worker is not None
    if os.getpid() != _HERE.pid:
        message = f"a report came from process {os.getpid()}, which the trial forked. Report from the trial's own."
        raise failed(FailureKind.INVALID, message)
    _HERE.worker.send_bytes(NOTE + pickle.dumps(content, protocol=pickle.HIGHEST_PROTOCOL))


def run_calls(worker: Connection, environment: WorkerEnvironment, *, uses_gpu: bool) -> NoReturn:
    """Run the call that comes, answer, and end; called right after the fork, and never comes back.

    Args:
        worker: Where calls come from and answers go.
        environment: Of the worker.
        uses_gpu: Whether earlier calls used a GPU: then its context is made before the first call comes.
    """
    parent = os.getppid()
    # First of all: a worker that is killed from here on takes this process with it, whatever it does.
    end_with_parent(parent)
    os.setsid()  # the call's own group: a signal to it does not meet the worker
    _HERE.worker, _HERE.pid = worker, os.getpid()
    _become_ordinary()
    _limit(environment)
    may_stay = uses_gpu or not environment.forks_code
    if not environment.forks_code:
        import_code(environment)
    if uses_gpu:
        _open_gpu()
    # After the imports and the GPU's context: what they change is no call's doing.
    baseline = Baseline(environment.kept_bytes) if may_stay else None
    while True:
        has_succeeded = _answer(worker)
        if not has_succeeded or baseline is None or _is_spoilt(baseline):
            break
        worker.send_bytes(STAYS)
    _leave()


def _is_spoilt(baseline: Baseline) -> bool:
    differences = baseline.differences()
    if differences:
        with contextlib.suppress(Exception):  # the call may have closed or replaced it
            print(f"pegbox ends this process, as the trial left behind: {', '.join(differences)}.", file=sys.stderr)
    return bool(differences)


def _answer(worker: Connection) -> bool:
    """Run one pickled call and answer with its result, or with the failure as a fact; True for a result.

    No exception of the user's crosses to the driver: many cannot be pickled.
    """
    try:
        payload = worker.recv_bytes()
    except (EOFError, OSError):
        os._exit(0)  # the worker ends
    has_succeeded = False
    try:
        function, arguments = pickle.loads(payload)  # noqa: S301 - written by the driver
        answer = pickle.dumps((function(*arguments), is_gpu_in_use()), protocol=pickle.HIGHEST_PROTOCOL)
        has_succeeded = True
    except BaseException as error:  # noqa: BLE001 - SystemExit is the trial's end, and none of its worker's
        answer = pickle.dumps((failure_of(error), is_gpu_in_use()), protocol=pickle.HIGHEST_PROTOCOL)
    if os.getpid() != _HERE.pid:
        os._exit(0)  # a child that the call forked and that returned; only its parent answers
    try:
        worker.send_bytes(ANSWER + answer)
    except OSError:
        os._exit(DEAF)
    return has_succeeded


def _become_ordinary() -> None:
    """As a process that Python has started itself: with exit handlers of its own, and free to start others."""
    # What libraries registered in the worker would otherwise run at the end of each of its copies: temporary folders
    # would be removed and connections closed that the worker still uses.
    atexit._clear()
    # Another one and not emptied: to let go of what it holds would copy its memory, which is the worker's.
    _HERE.finalizers, weakref.finalize._registry = weakref.finalize._registry, {}  # type: ignore[attr-defined]
    weakref.finalize._registered_with_atexit = False  # type: ignore[attr-defined]
    multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined]
    # A parent that ignores Ctrl-C, as under nohup, hands that down; a program that the call starts would keep it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _limit(environment: WorkerEnvironment) -> None:
    most = environment.settings.memory_bytes
    if most is not None:
        # Not RLIMIT_AS: libraries and CUDA reserve far more addresses than they use.
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    if environment.threads > 1:  # the worker itself has one
        limit_threads(environment.threads)


def import_code(environment: WorkerEnvironment) -> None:
    """Import the user's modules; what goes wrong is met again, and told, by the trial that needs them."""
    directory = str(environment.directory)
    if environment.settings.code and directory not in sys.path:
        sys.path.insert(0, directory)
    for module in environment.settings.code:
        with contextlib.suppress(BaseException):
            import_module(module)


def _open_gpu() -> None:
    """Make the context of the GPU, and of its matrix products, while nobody waits for it."""
    with contextlib.suppress(Exception):  # the call meets the same error and tells it
        torch = import_module("torch")
        torch.cuda.init()
        square = torch.ones(8, 8, device="cuda")
        torch.nn.functional.linear(square, square).sum().item()


def _leave() -> NoReturn:
    """End as a script does: exit handlers of the call run (those that upload or write, say), its threads end."""
    try:
        # No sys.exit: it would unwind into the worker's own frames, of which this process has a copy.
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(0)
