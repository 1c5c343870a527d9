"""Appends events to a journal, durable on return; reads nothing and loads no database."""

import fcntl
import os
import re
import secrets
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pegbox.schemas.errors import StoreError, StoreUnwritableError
from pegbox.schemas.events import Event
from pegbox.storage.journal_lines import encode_line

ROTATE_BYTES = 64 << 20


class Journal:
    """The journal of one process; safe to call from many threads, refused after a fork.

    The file is made with the first event and locked while its writer lives, so that others can tell a writer that
    pauses from one that is gone.
    """

    def __init__(self, directory: Path, writer: str, rotate_bytes: int = ROTATE_BYTES) -> None:
        """Nothing is written yet.

        Args:
            directory: Holds the journals of a store.
            writer: A word for the file's name, such as `driver` or `worker`.
            rotate_bytes: Begin a new file once this one is larger.
        """
        self._directory = directory
        self._writer = writer
        self._rotate_bytes = rotate_bytes
        self._pid = os.getpid()
        self._guard = threading.Lock()
        self._file: int | None = None
        self._path = directory
        self._size = 0
        self._seq = 0

    def append(self, *events: Event, version: int | None = None, at: float | Sequence[float] | None = None) -> None:
        """Write events; when this returns they survive a crash of the machine.

        Args:
            events: Written together, in this order.
            version: Of the study after the first of them, for a driver's events; the others count on from it.
            at: Unix time in seconds, of all of them or of each; now, where it is left out.

        Raises:
            StoreUnwritableError: The disk is full or fails; none of the events is recorded, and the next call writes
                to a new file.
            StoreError: The journal was made in another process.
        """
        if os.getpid() != self._pid:
            raise StoreError(
                f"A journal belongs to the process that made it, {self._pid}, but process {os.getpid()} wrote to it "
                "after a fork. Make a journal of its own in each process."
            )
        with self._guard:
            now = time.time() if at is None else at
            self._append(events, version, [now] * len(events) if isinstance(now, float) else now)

    def close(self) -> None:
        """Let go of the file; a further event opens a new one."""
        with self._guard:
            self._release()

    def _append(self, events: tuple[Event, ...], version: int | None, at: Sequence[float]) -> None:
        if not events:
            return
        lines = []
        try:
            if self._file is None or self._size >= self._rotate_bytes or os.fstat(self._file).st_nlink == 0:
                self._begin_file()
            for count, event in enumerate(events):
                numbered = None if version is None else version + count
                lines.append(encode_line(event, self._seq + count + 1, at[count], numbered))
            self._write(b"".join(lines))
        except OSError as error:
            self._give_up()
            raise StoreUnwritableError(
                f"The journal {self._path} must take {len(events)} events, but the system said: {error.strerror}. "
                "Everything recorded before is kept. Make room or mend the disk, then run the same command again."
            ) from error
        self._seq += len(events)

    def _write(self, content: bytes) -> None:
        assert self._file is not None
        rest = memoryview(content)
        while rest:  # a write may be short; what is missing either follows or names its cause
            rest = rest[os.write(self._file, rest) :]
        os.fdatasync(self._file)
        self._size += len(content)

    def _begin_file(self) -> None:
        self._release()
        host = re.sub(r"[^A-Za-z0-9.]+", "-", socket.gethostname())[:40]
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        self._path = self._directory / f"{stamp}-{self._writer}-{host}-{self._pid}-{secrets.token_hex(4)}.jsonl"
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._size = self._seq = 0
        with suppress(OSError):  # on a file system without locks nobody can tell that this writer lives
            fcntl.flock(self._file, fcntl.LOCK_EX)  # others hold it for a moment, to see whether a writer lives
        directory = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(directory)  # otherwise the new file's name may be lost in a crash
        finally:
            os.close(directory)

    def _give_up(self) -> None:
        """Take back what a failed write left behind, and never write to that file again."""
        if self._file is not None:
            with suppress(OSError):  # then the torn end stays, and readers stop before it
                os.ftruncate(self._file, self._size)
        self._release()

    def _release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
