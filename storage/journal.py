"""The append-only event log (a write-ahead journal): durable on return; reads nothing and loads no database."""

import fcntl
import os
import re
import secrets
import socket
import threading
import time
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pegbox.schemas.errors import StoreError, StoreUnwritableError
from pegbox.schemas.events import Event
from pegbox.storage.journal_lines import encode_body
from pegbox.storage.layout import kind_of

# Picked by hand: small enough that an archived part is unpacked and a mended one written again in a moment, large
# enough that a study of 100,000 trials has a few files and not thousands.
ROTATE_BYTES = 64 << 20


class Recorded(NamedTuple):
    """An event as it stands in a journal: its JSON, unix time in seconds with six decimals, and the study's version."""

    body: str
    at: str
    version: int | None


class Journal:
    """The journal of one process; safe to call from many threads, refused after a fork.

    The file is made with the first event and locked while its writer lives, so that others can tell a writer that
    pauses from one that is gone. What was written to it stays in memory, compressed, until the next file begins: where
    the file is deleted, cut or changed by somebody else, it is written again.
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
        # Lines are numbered while they are written, so that a gap tells of loss: two threads must not take one number.
        self._guard = threading.Lock()
        self._file: int | None = None
        self._path = directory
        self._size = 0
        self._seq = 0
        self._kept = _Kept()

    @property
    def name(self) -> str:
        """Of the file that it writes now."""
        return self._path.stem

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
        now = time.time() if at is None else at
        times = [now] * len(events) if isinstance(now, float) else now
        self.append_recorded(
            [
                Recorded(event.model_dump_json(), f"{times[count]:.6f}", None if version is None else version + count)
                for count, event in enumerate(events)
            ]
        )

    def append_recorded(self, lines: Sequence[Recorded]) -> None:
        """Write events that are JSON already.

        Raises:
            StoreUnwritableError: As `append`.
            StoreError: Likewise.
        """
        # A forked child shares the file position, the lock and the counter: both would write lines of one number.
        if os.getpid() != self._pid:
            raise StoreError(
                f"A journal belongs to the process that made it, {self._pid}, but process {os.getpid()} wrote to it "
                "after a fork. Make a journal of its own in each process."
            )
        with self._guard:
            self._append(lines)

    def mend(self) -> None:
        """Write the file again from memory where it is not as it was left.

        Raises:
            StoreUnwritableError: The disk is full or fails.
        """
        with self._guard:
            try:
                self._mend()
            except OSError as error:
                raise self._unwritable(error, "be written again after it was deleted or changed") from error

    def close(self) -> None:
        """Let go of the file, whole; a further event opens a new one."""
        with self._guard:
            with suppress(OSError):  # whoever closes has heard of what could not be written, or loses nothing by it
                self._mend()
            self._release()

    def _append(self, lines: Sequence[Recorded]) -> None:
        if not lines:
            return
        try:
            self._mend()
            if self._file is None or self._size >= self._rotate_bytes:
                self._begin_file()
            numbered = (encode_body(*line, self._seq + count) for count, line in enumerate(lines, 1))
            self._write(b"".join(numbered))
        except OSError as error:
            self._give_up()
            raise self._unwritable(error, f"take {len(lines)} events") from error
        # Only now: after a failed write the numbers are free again, and no reader takes the gap for a loss.
        self._seq += len(lines)

    def _write(self, content: bytes) -> None:
        assert self._file is not None
        rest = memoryview(content)
        while rest:  # a write may be short; what is missing either follows or names its cause
            rest = rest[os.write(self._file, rest) :]
        # Not fsync: the time of change may be lost, which nobody reads, and one write to the disk is saved for each
        # event.
        os.fdatasync(self._file)
        self._size += len(content)
        self._kept.add(content)

    def _begin_file(self) -> None:
        self._release()
        # The random end keeps apart what two containers of one host name and process id write in one second.
        host = re.sub(r"[^A-Za-z0-9.]+", "-", socket.gethostname())[:40]
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        self._open(self._directory / f"{stamp}-{self._writer}-{host}-{self._pid}-{secrets.token_hex(4)}.jsonl")
        self._seq = 0

    def _open(self, path: Path) -> None:
        """A new, empty file, locked and sure to be found after a crash."""
        # O_EXCL: a file that another process made is never continued. O_CLOEXEC: a child that inherited the file would
        # hold its lock, and the writer would look alive after its death.
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._path, self._size, self._kept = path, 0, _Kept()
        with suppress(OSError):  # on a file system without locks nobody can tell that this writer lives
            fcntl.flock(self._file, fcntl.LOCK_EX)  # waits for those that look whether a writer lives
        # fdatasync of the file does not write the entry of its directory: a new file could vanish whole.
        self._make_name_durable()

    def _make_name_durable(self) -> None:
        directory = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _mend(self) -> None:
        if self._file is None or self._is_as_left():
            return
        path, content = self._path, self._kept.read()
        self._release()
        draft = path.with_suffix(".draft")  # not a journal's name: nobody reads half of it
        draft.unlink(missing_ok=True)
        self._open(draft)
        self._write(content)
        # Under its own name the database goes on where it stood; what is no file and took its place is not touched.
        self._path = path if kind_of(path) in {"file", "nothing"} else path.with_stem(f"{path.stem}-again")
        draft.replace(self._path)
        self._make_name_durable()

    def _is_as_left(self) -> bool:
        """True if the file still has its name and the size that this process gave it."""
        assert self._file is not None
        mine = os.fstat(self._file)
        try:
            found = self._path.stat()
        except OSError:
            return False
        # The inode too: an editor that saves makes another file of the same name, and appends would go to one without
        # a name.
        return (found.st_dev, found.st_ino, found.st_size) == (mine.st_dev, mine.st_ino, self._size)

    def _unwritable(self, error: OSError, must: str) -> StoreUnwritableError:
        return StoreUnwritableError(
            f"The journal {self._path} must {must}, but the system said: {error.strerror}. Everything recorded before "
            "is kept. Make room or mend the disk, then run the same command again."
        )

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


class _Kept:
    """What was written to a file, compressed: a study's events take about an eighth of their size."""

    def __init__(self) -> None:
        # Level 1: the driver waits for it with each event, and memory is not what it lacks.
        self._packing = zlib.compressobj(level=1)
        self._parts: list[bytes] = []

    def add(self, content: bytes) -> None:
        self._parts.append(self._packing.compress(content))

    def read(self) -> bytes:
        # A copy is flushed: the compressor itself must go on with the next event.
        return zlib.decompress(b"".join(self._parts) + self._packing.copy().flush())
