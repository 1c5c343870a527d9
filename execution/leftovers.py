"""What a call left behind in its process: a snapshot of the state that others share, compared afterwards.

Looks at what badly behaved training code is known to change. A process that ends after its call needs none of this; one
that is kept for the next call, as it holds a GPU's context, must be found as it was.
"""

import atexit
import builtins
import contextlib
import decimal
import gc
import locale
import logging
import multiprocessing
import os
import resource
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from pegbox.execution.descendants import children
from pegbox.training.resources import memory_in_use

# Picked by hand: what torch keeps for cuBLAS counts too and must not end every process; a large model that was
# forgotten must.
GPU_SHARE = 0.1
"""A process that holds more of its GPU's memory than this between two calls serves no further one."""
_GPU_FILES = ("/dev/nvidia", "/dev/kfd", "/dev/dri")
"""Opened by the drivers of GPUs, which then cannot be used after a fork."""
_PLAIN = (bool, int, float, complex, str, bytes, type(None))


class Baseline:
    """The state of this process before a call."""

    def __init__(self, kept_bytes: int) -> None:
        """Take it now.

        Args:
            kept_bytes: The most memory of its own that the process may hold after a call.
        """
        self._kept_bytes = kept_bytes
        self._modules = {name: id(module) for name, module in sys.modules.items()}
        self._functions = {name: _functions(sys.modules.get(name)) for name in _PATCHED}
        self._code = {name: module for name, module in sys.modules.items() if _is_users(module)}
        self._state = self._take()

    def differences(self) -> tuple[str, ...]:
        """Names of what is not as it was, and of memory that is held; none where the next call may come."""
        # Models refer to themselves in circles; until they are collected, files look open and memory looks held.
        gc.collect()
        now = self._take()
        found = [name for name, before in self._state.items() if now[name] != before]
        if memory_in_use() > self._kept_bytes:
            found.append("memory")
        return (*found, *_gpu_leftovers())

    def _take(self) -> dict[str, Any]:
        return {
            **{name: probe() for name, probe in _PROBES.items()},
            "modules": {name: id(sys.modules.get(name)) for name in self._modules},
            "globals of the user's modules": {name: _plain_globals(module) for name, module in self._code.items()},
            "functions of libraries": [  # those that a library adds as it goes on are left out
                vars(sys.modules.get(module, sys)).get(name)
                for module, functions in self._functions.items()
                for name in functions
            ],
        }


def is_gpu_in_use() -> bool:
    """True where this process has opened a GPU; a process forked from it could not use one."""
    return any(target.startswith(_GPU_FILES) for _, target in _open_files())


def n_threads() -> int:
    """Threads of this process, those of C code included where the system says so."""
    try:
        return len(list(Path("/proc/self/task").iterdir()))
    except OSError:
        return threading.active_count()


def open_descriptors() -> set[int]:
    """Numbers of the files that this process has open."""
    return {number for number, _ in _open_files()}


def _open_files() -> list[tuple[int, str]]:
    """Descriptor and what it leads to; the numbers alone where the system does not say more."""
    found = []
    for link in Path("/proc/self/fd" if Path("/proc/self/fd").is_dir() else "/dev/fd").iterdir():
        with contextlib.suppress(OSError, ValueError):  # the listing's own is closed again
            os.fstat(int(link.name))
            found.append((int(link.name), str(link.readlink()) if link.is_symlink() else ""))
    return sorted(found)


def _files_of_code() -> list[tuple[int, str]]:
    """Open files but for those of a GPU's driver, which opens more as it goes on."""
    return [(number, target) for number, target in _open_files() if not target.startswith((*_GPU_FILES, "anon_inode"))]


def _umask() -> int:
    # There is no way to read it but to set it; to the strictest, should another thread make a file meanwhile.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _limits() -> dict[str, tuple[int, int]]:
    names = [name for name in dir(resource) if name.startswith("RLIMIT_")]
    return {name: resource.getrlimit(getattr(resource, name)) for name in names}


def _signals() -> tuple[Any, ...]:
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    return handlers, signal.pthread_sigmask(signal.SIG_BLOCK, ()), signal.getitimer(signal.ITIMER_REAL)[1]


def _logging() -> tuple[Any, ...]:
    root = logging.getLogger()
    return root.level, tuple(map(id, root.handlers)), logging.root.manager.disable


def _interpreter() -> tuple[Any, ...]:
    return (
        tuple(sys.path),
        tuple(map(id, sys.meta_path)),
        tuple(map(id, sys.path_hooks)),
        id(sys.excepthook),
        id(sys.stdout),
        id(sys.stderr),
        sys.getrecursionlimit(),
        sys.getswitchinterval(),
        sys.gettrace(),
        sys.getprofile(),
        gc.isenabled(),
        gc.get_threshold(),
        atexit._ncallbacks(),
        multiprocessing.get_start_method(allow_none=True),
        str(decimal.getcontext()),
        locale.setlocale(locale.LC_ALL),
        time.tzname,
        socket.getdefaulttimeout(),
    )


def _numpy() -> tuple[Any, ...]:
    if "numpy" not in sys.modules:
        return ()
    numpy = sys.modules["numpy"]
    return numpy.geterr(), str(numpy.get_printoptions())


def _torch() -> tuple[Any, ...]:
    if "torch" not in sys.modules:
        return ()
    torch = sys.modules["torch"]
    backends = torch.backends
    return (
        torch.get_default_dtype(),
        str(torch.get_default_device()),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.get_float32_matmul_precision(),
        torch.get_num_threads(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_anomaly_enabled(),
        torch.is_autocast_enabled(),
        (backends.cudnn.enabled, backends.cudnn.benchmark, backends.cudnn.deterministic, backends.cudnn.allow_tf32),
        backends.cuda.matmul.allow_tf32,
        float(torch.tensor(1e-310, dtype=torch.float64, device="cpu") * 1.0) == 0.0,  # set_flush_denormal tells nobody
        torch.distributed.is_available() and torch.distributed.is_initialized(),
    )


_CLASSES = ("torch.nn", "torch.optim", "torch.utils.data")
"""Libraries whose classes' methods tests and tutorials are known to replace."""

_PROBES: Mapping[str, Callable[[], Any]] = {
    "open files": _files_of_code,
    "threads": lambda: sorted(thread.ident or 0 for thread in threading.enumerate()),
    "children": children,
    "environment": lambda: dict(os.environ),
    "working directory": lambda: _or_none(os.getcwd),
    "umask": _umask,
    "limits": _limits,
    "priority": lambda: (os.nice(0), sorted(getattr(os, "sched_getaffinity", lambda _: ())(0))),
    "signals": _signals,
    "builtins": lambda: {name: id(value) for name, value in vars(builtins).items() if name != "_"},
    "interpreter": _interpreter,
    "warnings": lambda: tuple(map(str, warnings.filters)),
    "logging": _logging,
    "numpy": _numpy,
    "torch": _torch,
    "classes of torch": lambda: {name: _methods(sys.modules.get(name)) for name in _CLASSES},
}

_PATCHED = ("random", "time", "math", "os", "json", "logging", "numpy", "numpy.random", "torch", "torch.nn.functional")
"""Libraries whose functions they are known to replace."""


def _or_none(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except OSError:
        return None


def _functions(module: ModuleType | None) -> tuple[str, ...]:
    return tuple(name for name, value in vars(module).items() if callable(value)) if module else ()


def _methods(module: ModuleType | None) -> dict[str, dict[str, int]]:
    """Of each class of a module, its attributes by their identity."""
    classes = [value for value in vars(module).values() if isinstance(value, type)] if module else []
    return {one.__qualname__: {name: id(value) for name, value in vars(one).items()} for one in classes}


def _is_users(module: ModuleType) -> bool:
    """True for a module that lies neither in an environment nor in Python's own library, nor is ours."""
    file = getattr(module, "__file__", None)
    if not isinstance(file, str) or module.__name__.partition(".")[0] == "pegbox":
        return False
    return "site-packages" not in Path(file).parts and not file.startswith((sys.base_prefix, sys.prefix))


def _plain_globals(module: ModuleType) -> dict[str, Any]:
    """Numbers, texts and the like; what is larger may be a cache, which the next call may find."""
    return {name: value for name, value in vars(module).items() if isinstance(value, _PLAIN)}


def _gpu_leftovers() -> tuple[str, ...]:
    """An error of the GPU, after which its context is of no use; memory that is held."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return ()
    try:
        # Kernels run behind the program's back: an error of one shows at the next synchronisation only.
        torch.cuda.synchronize()
        held = torch.cuda.memory_allocated() / torch.cuda.get_device_properties(0).total_memory
    except Exception:  # noqa: BLE001 - whatever kind it has, the context is of no use
        return ("GPU",)
    return ("GPU memory",) if held > GPU_SHARE else ()
