"""The terminal while libraries talk: file descriptors 1 and 2 go to a log, our own words still reach the user."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import IO, BinaryIO, cast

try:
    import termios
except ImportError:  # a system without them
    termios = None  # type: ignore[assignment]


class _Saved:
    """The user's streams once the descriptors have been given away."""

    stdout: IO[str] | None = None
    stderr: IO[str] | None = None


def stdout() -> IO[str]:
    """Where results go."""
    return _Saved.stdout or sys.stdout


def stdout_bytes() -> BinaryIO:
    """Where results go that are written as bytes."""
    return cast("BinaryIO", cast("TextIOWrapper", stdout()).buffer)


def stderr() -> IO[str]:
    """Where everything else goes."""
    return _Saved.stderr or sys.stderr


@contextmanager
def silent_control_keys() -> Iterator[None]:
    """Keep the terminal from writing `^C` into a picture that is redrawn in place."""
    # Stdin, since echoing belongs to the keyboard's side of a terminal.
    if termios is None or not os.isatty(0):
        yield
        return
    before = termios.tcgetattr(0)
    changed = [*before]
    changed[3] &= ~termios.ECHOCTL
    termios.tcsetattr(0, termios.TCSANOW, changed)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSANOW, before)


def hush(log: Path) -> None:
    """Send all that this process and its children print to a log, until the process ends.

    The descriptors themselves are redirected, because Prefect, its server and the libraries of workers print from
    other processes, from C, and while the interpreter shuts down.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    # The copies are made before the descriptors are given away; with them the user is still reached.
    _Saved.stdout = os.fdopen(os.dup(1), "w", encoding=sys.stdout.encoding, errors="backslashreplace")
    _Saved.stderr = os.fdopen(os.dup(2), "w", encoding=sys.stderr.encoding, errors="backslashreplace")
    log.parent.mkdir(parents=True, exist_ok=True)
    # Appending, because several processes write to it at once and must not overwrite each other.
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
