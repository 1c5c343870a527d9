"""The facts of one run that its history keeps: who runs it, on what code, with which versions."""

import os
import platform
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from contextvars import ContextVar
from importlib.metadata import PackageNotFoundError, version

from pegbox.schemas.data import PreparedData
from pegbox.schemas.events import RunStarted
from pegbox.schemas.study import StudySpec
from pegbox.training.kinds.registry import code_of

# Those whose versions change figures, or the format of what is stored.
PACKAGES = ("pegbox", "torch", "prefect", "duckdb", "scikit-learn", "numpy")


_BEGAN: ContextVar[float | None] = ContextVar("began", default=None)


def note_start(moment: float) -> None:
    """Say when the command of the run that follows began, by the monotonic clock.

    Beside the parameters of the flow: those are what a study is, and are shown by Prefect.
    """
    _BEGAN.set(moment)


def describe_run(spec: StudySpec, data: PreparedData | None) -> RunStarted:
    """What this process is about to do, as an event."""
    status = _git("status", "--porcelain", "--untracked-files=no")
    return RunStarted(
        study=spec.name,
        run=uuid.uuid4().hex[:12],
        host=socket.gethostname(),
        pid=os.getpid(),
        data_fingerprint=data.fingerprint if data else None,
        flow_run_id=_flow_run_id(),
        git_commit=_git("rev-parse", "HEAD"),
        git_dirty=None if status is None else bool(status),
        start_seconds=_start_seconds() if spec.budget.whole is not None else 0.0,
        code=code_of(spec),
        versions={"python": platform.python_version(), **_versions(PACKAGES)},
    )


def _start_seconds() -> float:
    """0 where nobody said when the command began, as in a flow that a schedule has started."""
    began = _BEGAN.get()
    return 0.0 if began is None else time.monotonic() - began


def _flow_run_id() -> str | None:
    """The flow run that this is; None outside of one.

    Prefect is not imported for it: its settings are read once, and a study that is asked first may be run afterwards.
    """
    if "prefect" not in sys.modules:
        return None
    from prefect.runtime import flow_run

    return str(flow_run.id) if flow_run.id else None


def _versions(packages: Sequence[str]) -> dict[str, str]:
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _git(*arguments: str) -> str | None:
    """What git prints in the working directory; None outside a repository, or without git."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=5, check=False)  # noqa: S603, S607
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
