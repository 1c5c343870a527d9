"""A program of the user's as a child process: its lines as they come, and its certain end; reads no metrics."""

import os
import re
import select
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Self

# Picked by hand, as for workers: enough to remove a temporary file.
GRACE_SECONDS = 1.0
MAX_LINE = 100_000
"""Bytes; a longer line without an end is read in pieces, cut at white space, so that no number is cut."""
# Picked by hand: holds a traceback of a framework whole, and fits into the history.
TAIL_BYTES = 8_000
ERROR_BYTES = 20_000_000
"""So much of stderr is read for metrics; an hour of progress bars is some 4 MB."""
# In the environment, because a daemon leaves its parent and its group behind, but not that.
_MARK = "PEGBOX_PROCESS"


class CommandProcess:
    """Runs a program; as a context, so that neither it nor what it started outlives the segment.

    The program stays in the process group of its worker, so it ends with it, however that ends.
    """

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start the program.

        Raises:
            OSError: It was not found, or may not be executed.
        """
        self._mark = uuid.uuid4().hex
        # A file and no pipe: nobody reads stderr meanwhile, and a pipe that is full stops the program.
        self._errors: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        try:
            self._process = subprocess.Popen(  # noqa: S603 - running the user's command is the purpose
                list(arguments),
                env={**os.environ, **environment, _MARK: self._mark},
                # A program that asks a question must fail at once instead of waiting for ever.
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._errors,
            )
        except OSError:
            self._errors.close()
            raise
        self._tail = b""

    def lines(self) -> Iterator[str]:
        """Lines of stdout as they come, until the program ends."""
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        waiting = b""
        while True:
            ready, _, _ = select.select([descriptor], [], [], 0.2)
            chunk = os.read(descriptor, 65_536) if ready else b""
            if not chunk and (ready or self._process.poll() is not None):
                break  # its end, or that of a program whose own children still hold the pipe
            self._tail = (self._tail + chunk)[-TAIL_BYTES:]
            complete, waiting = _split(waiting + chunk)
            yield from (line.decode(errors="replace") for line in complete)
        if waiting:
            yield waiting.decode(errors="replace")

    def error_lines(self) -> Iterator[str]:
        """Lines of stderr, once the program has ended; of more than 20 MB the end."""
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - ERROR_BYTES))
        if size > ERROR_BYTES:
            self._errors.readline(MAX_LINE)
        waiting = b""
        while chunk := self._errors.read(65_536):
            complete, waiting = _split(waiting + chunk)
            yield from (line.decode(errors="replace") for line in complete)
        yield waiting.decode(errors="replace")

    def wait(self) -> int:
        """Exit code; the negative number of a signal that ended it."""
        return self._process.wait()

    def terminate(self) -> None:
        """Ask it to end, where it has not."""
        if self._process.poll() is None:
            self._process.terminate()

    def tails(self) -> tuple[str, str]:
        """The ends of what it wrote to stdout and to stderr."""
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - TAIL_BYTES))
        return self._tail.decode(errors="replace"), self._errors.read().decode(errors="replace")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._end_descendants()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()

    def _end_descendants(self) -> None:
        """End what the program started and left behind; found by a mark in the environment that it inherited."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            left = _processes_with(f"{_MARK}={self._mark}".encode())
            for pid in left:
                _send(pid, number)
            if left and number is signal.SIGTERM:
                time.sleep(0.1)


def _split(text: bytes) -> tuple[list[bytes], bytes]:
    """The complete lines of a text, and what has no end yet; a carriage return begins a line anew and so ends one."""
    *complete, waiting = re.split(rb"[\r\n]", text)
    if len(waiting) > MAX_LINE:
        piece, space, rest = waiting.rpartition(b" ")
        return ([*complete, piece], rest) if space and len(rest) <= MAX_LINE else (complete, b"\x00" + waiting[-1:])
    return complete, waiting


def _processes_with(mark: bytes) -> list[int]:
    """Living processes of this user with these bytes in their environment; none where the system does not say."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (directory / "environ").read_bytes():
                found.append(int(directory.name))
        except OSError:
            continue
    return found


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
