"""What a process may use and has used: memory, CPU threads, GPUs; takes no decision about a trial."""

import os
import platform
import re
import resource
import sys
from functools import lru_cache
from importlib import import_module
from itertools import takewhile
from pathlib import Path
from typing import Any

CARDS = Path("/sys/class/drm")
"""Where Linux lists graphics cards."""
INTEL = "0x8086"
"""Vendor of a PCI device, by the list of the PCI special interest group."""
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}


def parse_bytes(text: str) -> int:
    """Bytes of a size such as `500MB`, `4GB` or `2GiB`.

    Raises:
        ValueError: The text is no size.

    >>> parse_bytes("1.5GB")
    1500000000
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]i?)?b?\s*", text, re.IGNORECASE)
    if not match or float(match[1]) == 0:
        raise ValueError(f"a size is a number with a unit, such as 500MB, 4GB or 2GiB, got {text!r}.")
    return int(float(match[1]) * _UNITS[(match[2] or "").lower()])


def reset_peak_memory() -> None:
    """Let `peak_memory_bytes` count from now on, where the system allows it."""
    try:
        # proc(5): 5 resets the peak of the resident set; what getrusage says can never be reset.
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak_memory_bytes() -> int | None:
    """The most memory this process held since `reset_peak_memory`, in bytes; None where the system does not say."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        # macOS counts bytes, Linux kilobytes.
        return usage if sys.platform == "darwin" else usage * 1024
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None


def memory_in_use() -> int:
    """Bytes of its own that this process holds now, files that are mapped left out; 0 where the system does not say."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("RssAnon:")), 0)


def total_memory_bytes() -> int:
    """Memory of the machine, or of the container where it has a limit."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return total
    return min(total, int(limit)) if limit.isdigit() else total


def count_out_of_memory_kills() -> int:
    """How many processes the system has ended for lack of memory since it started; 0 where it does not say."""
    for path, name in (("/sys/fs/cgroup/memory.events", "oom_kill"), ("/proc/vmstat", "oom_kill")):
        try:
            lines = Path(path).read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            if line.split()[0] == name:
                return int(line.split()[1])
    return 0


def available_cores() -> int:
    """CPU cores that this process may use."""
    # Not cpu_count, which counts cores that taskset or a container does not give.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def limit_threads(threads: int) -> None:
    """Hold this process, and what it starts, to so many CPU threads; libraries that load later read it."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
        os.environ[name] = str(threads)
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(threads)
        if torch.get_num_interop_threads() != 1:  # may be set once only, also for the processes forked from this one
            torch.set_num_interop_threads(1)
    if "numpy" in sys.modules:
        # BLAS is loaded by now and reads the variables no more.
        thread_pools().limit(limits=threads)


def thread_pools() -> Any:
    """The loaded libraries that have threads of their own.

    The look for them takes 9 ms with torch; who forks has it done before, for all processes.
    """
    import_module("threadpoolctl")  # before modules are counted
    return _thread_pools(len(sys.modules))


@lru_cache(maxsize=1)
def _thread_pools(n_modules: int) -> Any:
    return import_module("threadpoolctl").ThreadpoolController()


def visible_gpus() -> tuple[str, ...]:
    """The GPUs of this machine as `CUDA_VISIBLE_DEVICES` names them: numbers, `GPU-...` or `MIG-...`.

    Asks no library, so nothing is loaded. A job of SLURM whose program was started without that variable has those
    that SLURM names.
    """
    for variable in ("CUDA_VISIBLE_DEVICES", "SLURM_STEP_GPUS", "SLURM_JOB_GPUS"):
        if (chosen := os.environ.get(variable)) is not None:
            return tuple(takewhile(_is_gpu, (name.strip() for name in chosen.split(","))))
    cards = Path("/proc/driver/nvidia/gpus")
    return tuple(str(number) for number in range(len(list(cards.iterdir())))) if cards.is_dir() else ()


def shows_device(name: str) -> bool:
    """False where this machine surely has no such device (`cuda`, `mps`, `xpu`); torch is not loaded to ask more."""
    if name == "cuda":
        return bool(visible_gpus())
    if name == "mps":  # of Apple's own processors alone
        return sys.platform == "darwin" and platform.machine() == "arm64"
    if name == "xpu" and sys.platform == "linux":
        vendors = CARDS.glob("card*/device/vendor")
        return any(vendor.read_text().strip() == INTEL for vendor in vendors)
    return True


def _is_gpu(name: str) -> bool:
    """False for `-1`, for nothing, and for SLURM's `NoDevFiles`; CUDA sees no device behind one that is none."""
    return name.isdigit() or name.startswith(("GPU-", "MIG-"))


worker_pid: int | None = None
"""Of the worker that this process was forked from to run one call; set by the worker itself."""


def process_name() -> str:
    """Host and process id of the worker, as the history names it."""
    return f"{os.uname().nodename}:{worker_pid or os.getpid()}"
