"""Reads what journals hold beyond what was ingested, torn writes and bad checksums included; changes nothing."""

import io
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from pegbox.storage.journal_files import JournalFile
from pegbox.storage.journal_lines import JournalLine, decode_line
from pegbox.storage.locks import is_locked

# Picked by hand: large enough that a call costs nothing beside its bytes, small beside the memory of a batch.
CHUNK_BYTES = 8 << 20
PACKED_BYTES = 4 << 10
"""Of an archive, read at once: unpacked they are 128 MiB at most, whatever somebody has packed."""
MOST_LINE_BYTES = 256 << 20
"""Of one line; an event that holds the longest text that is taken has a tenth of that."""


class ScannedLine(NamedTuple):
    """One line of a journal; `line` says what is wrong where it is damaged."""

    journal: str
    byte_offset: int
    next_offset: int
    line: JournalLine | str
    raw: bytes


def scan_lines(file: JournalFile, start: int = 0) -> Iterator[ScannedLine]:
    """The lines from a byte offset on; a last line without its newline is left for later.

    Where the file was changed behind the store's back, so that no line begins at the offset any more, all of its
    lines: whoever takes them knows most of them already.

    Raises:
        OSError: The file cannot be read.
    """
    if file.is_archived:
        archive = _Archive(file.path)
        yield from _lines(file.name, archive.chunks(), 0)
        if not archive.is_whole:
            yield ScannedLine(file.name, 0, 0, "the archive is cut off or damaged", b"")
        return
    with file.path.open("rb") as stream:
        start = start if _begins_a_line(stream, start) else 0
        stream.seek(start)
        yield from _lines(file.name, _limited(stream, (file.n_bytes or 0) - start), start)


def _begins_a_line(stream: BinaryIO, offset: int) -> bool:
    """True if a line begins at the offset, or the file ends there."""
    if offset == 0:
        return True
    stream.seek(offset - 1)
    return stream.read(1) == b"\n"


class _Archive:
    """A compressed journal; once its chunks were read, `is_whole` tells whether that was all of it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.is_whole = False

    def chunks(self) -> Iterator[bytes]:
        """The text, as far as it can be unpacked."""
        # Here: only a rebuild reads archives.
        import zstandard

        unpacking = zstandard.ZstdDecompressor().decompressobj()
        with self._path.open("rb") as stream, suppress(zstandard.ZstdError):
            while not unpacking.eof and (chunk := stream.read(PACKED_BYTES)):
                yield unpacking.decompress(chunk)
            self.is_whole = unpacking.eof


def unpack_archive(source: Path, target: Path) -> None:
    """Make a plain journal of an archived one again, whole or not at all.

    Raises:
        OSError: There is none, or the file cannot be written.
    """
    draft = target.with_suffix(".draft")  # not a journal's name: nobody reads half of it
    with draft.open("wb") as stream:
        for chunk in _Archive(source).chunks():
            stream.write(chunk)
    draft.replace(target)


def _limited(stream: BinaryIO, n_bytes: int) -> Iterator[bytes]:
    """Chunks of the stream up to the size that the journal had when it was listed."""
    rest = n_bytes
    # Never beyond the size that was listed: what a worker appended meanwhile could be read after its driver's line
    # about it, and the order of `list_journals` would be lost.
    while rest > 0 and (chunk := stream.read(min(CHUNK_BYTES, rest))):
        rest -= len(chunk)
        yield chunk


def _lines(journal: str, chunks: Iterator[bytes], offset: int) -> Iterator[ScannedLine]:
    torn = b""
    for chunk in chunks:
        # A last line without its newline waits: its writer may be in the midst of it, and only the newline ends an
        # append.
        *whole, torn = (torn + chunk).split(b"\n")
        for raw in whole:
            following = offset + len(raw) + 1
            if raw.strip():  # no event is lost where an editor left blank lines
                yield ScannedLine(journal, offset, following, decode_line(raw), raw)
            offset = following
        if len(torn) > MOST_LINE_BYTES:
            reason = f"a line goes on for more than {MOST_LINE_BYTES >> 20} MiB; what follows is not read"
            yield ScannedLine(journal, offset, offset, reason, b"")
            return


def torn_bytes(file: JournalFile) -> int:
    """How many bytes of a journal that is not archived stand after the last newline.

    Raises:
        OSError: The file cannot be read.
    """
    with file.path.open("rb") as stream:
        end = stream.seek(0, io.SEEK_END)
        position = end
        while position > 0:
            start = max(0, position - CHUNK_BYTES)
            stream.seek(start)
            newline = stream.read(position - start).rfind(b"\n")
            if newline >= 0:
                return end - (start + newline + 1)
            position = start
        return end


def writer_is_gone(path: Path) -> bool:
    """True if no process holds a journal open for writing."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not is_locked(file)
    except OSError:  # a file system without locks
        return False
    finally:
        os.close(file)
