"""Advisory locks between processes: files under flock, which the system lets go of when their holder dies."""

import fcntl
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOOK_SECONDS = 10.0
"""A look takes microseconds; one that lasts longer belongs to a process that was suspended in the midst of it."""


@contextmanager
def exclusive(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold a lock file; yields False where another process holds it and `wait` is off.

    Raises:
        OSError: The file cannot be made.
    """
    # The file is never deleted: another process may have it open, and would hold a lock of a file without a name.
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield try_lock(file, wait=wait)
    finally:
        os.close(file)


def try_lock(file: int, *, wait: bool = False) -> bool:
    """Lock an open file; False where another holds it.

    Whoever only looks (`is_locked`) shares the lock for a moment. That is waited for, so that a reader never makes a
    lock look taken: it is, where not even a share of it can be had.
    """
    if wait:
        fcntl.flock(file, fcntl.LOCK_EX)
        return True
    give_up = time.monotonic() + LOOK_SECONDS
    while not _try(file, fcntl.LOCK_EX):
        if time.monotonic() > give_up or not _try(file, fcntl.LOCK_SH):
            return False
        # Let go of the share, which only told that nobody holds the lock: two who kept theirs would shut each other
        # out.
        fcntl.flock(file, fcntl.LOCK_UN)
        time.sleep(random.uniform(0, 0.002))  # noqa: S311 - two that want it would else shut each other out for ever
    return True


def is_locked(file: int) -> bool:
    """True if somebody holds the lock of an open file; any number may look at once."""
    # flock and not lockf: POSIX record locks go when the process closes any descriptor of the file, and this closes
    # one.
    return not _try(file, fcntl.LOCK_SH)


def _try(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
