"""Ends a process tree: a process with all that it started (children, daemons); asks nothing about what they do."""

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

# Picked by hand: enough to remove a lock or a temporary file; every ended trial may cost this long.
GRACE_SECONDS = 1.0
"""What is to end is asked to by SIGTERM first, and may take so long."""
# Picked by hand: where the kernel cannot wake us (no pidfd), a trial ends this much late at most.
LOOK_SECONDS = 0.02
_LAST_SECONDS = 10.0
"""A process that SIGKILL does not end within so long is in the hands of the system, such as one that waits for a
disk."""

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that no daemon escapes; Linux only."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end_with_parent(parent: int) -> None:
    """Have the kernel end this process when its parent ends, even in C code that never comes back; Linux only.

    Args:
        parent: Process id of the parent, which may have ended already.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # Asked after the request: a parent that ended just before it sends no signal any more.
    if os.getppid() != parent:
        os._exit(1)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def exit_code_of(pid: int, patience: float) -> int | None:
    """Wait for a child and take its exit code; the negative number of a signal; None while it lives.

    Args:
        pid: Of a child of this process.
        patience: Seconds to wait.
    """
    until = time.monotonic() + patience
    while True:
        with contextlib.suppress(ChildProcessError):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
        left = until - time.monotonic()
        if left <= 0:
            return None
        _wait_for_end(pid, left)


def open_end(pid: int) -> int | None:
    """A descriptor that can be read once a child has ended; None where the system has none such."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):  # not Linux, or an old one
        return None


def _wait_for_end(pid: int, seconds: float) -> None:
    """Sleep until a child ends, or for a moment where the system cannot wake us."""
    descriptor = open_end(pid)
    if descriptor is None:
        time.sleep(min(LOOK_SECONDS, seconds))
        return
    try:
        select.select([descriptor], [], [], seconds)
    finally:
        os.close(descriptor)


def children() -> frozenset[int]:
    """Process ids of the descendants of this process; none where the system does not say."""
    if not _has_children():
        return frozenset()
    parents = dict(_parents())
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return frozenset(found - {os.getpid()})


def _has_children() -> bool:
    """Asked first: to read the parent of every process of a machine takes milliseconds."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _parents() -> Iterator[tuple[int, int]]:
    """Each living process and its parent."""
    for directory in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            # From the last parenthesis on: the program's name before it may hold blanks and parentheses of its own.
            state, parent = (directory / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                yield int(directory.name), int(parent)


def end_descendants(bystanders: frozenset[int] = frozenset(), group: int | None = None) -> None:
    """End every descendant of this process; first politely.

    Args:
        bystanders: Those that go on.
        group: A process group that is ended as well; all that can be found where the system lists no processes.
    """
    for number, patience in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, _LAST_SECONDS)):
        until = time.monotonic() + patience
        told: set[int] = set()
        while left := _living(bystanders, group):
            # Each is asked once: a second SIGTERM would cut short how a program cleans up after the first.
            for pid in left - told:
                _send(pid, number)
            told |= left
            if time.monotonic() > until:
                break
            time.sleep(LOOK_SECONDS)


def _living(bystanders: frozenset[int], group: int | None) -> set[int]:
    """What is to end and lives, a group by its negative number; whatever has ended is taken note of."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return {*(children() - bystanders), *({-group} if group and is_group_alive(group) else ())}


def end_group(group: int) -> None:
    """End every process that is left of a process group of others' children; first politely."""
    if group <= 1 or not is_group_alive(group):
        return
    _send(-group, signal.SIGTERM)
    until = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
        if not is_group_alive(group):
            return
    _send(-group, signal.SIGKILL)


def is_group_alive(group: int) -> bool:
    """True if the group has a process of this user's."""
    return _send(-group, 0)


def _send(pid: int, number: int) -> bool:
    """Send a signal to a process, or to a group by its negative number; True if somebody took it."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
