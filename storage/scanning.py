"""Reads what journals hold beyond what was ingested; changes nothing."""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from pegbox.storage.journal_files import JournalFile
from pegbox.storage.journal_lines import JournalLine, decode_line
from pegbox.storage.locks import try_lock

CHUNK_BYTES = 8 << 20


class ScannedLine(NamedTuple):
    """One line of a journal; `line` says what is wrong where it is damaged."""

    journal: str
    byte_offset: int
    next_offset: int
    line: JournalLine | str
    raw: bytes


def scan_lines(file: JournalFile, start: int = 0) -> Iterator[ScannedLine]:
    """The lines from a byte offset on; a last line without its newline is left for later.

    Raises:
        OSError: The file cannot be read.
    """
    with open_journal(file) as stream:
        stream.seek(start)
        yield from _lines(file.name, _limited(stream, None if file.n_bytes is None else file.n_bytes - start), start)


def open_journal(file: JournalFile) -> BinaryIO:
    """The text of a journal, unpacked where it is archived."""
    if not file.is_archived:
        return file.path.open("rb")
    import zstandard

    return io.BytesIO(zstandard.ZstdDecompressor().stream_reader(file.path.read_bytes()).read())


def _limited(stream: BinaryIO, n_bytes: int | None) -> Iterator[bytes]:
    """Chunks of the stream up to the size that the journal had when it was listed."""
    rest = n_bytes
    while rest is None or rest > 0:
        chunk = stream.read(CHUNK_BYTES if rest is None else min(CHUNK_BYTES, rest))
        if not chunk:
            return
        rest = None if rest is None else rest - len(chunk)
        yield chunk


def _lines(journal: str, chunks: Iterator[bytes], offset: int) -> Iterator[ScannedLine]:
    torn = b""
    for chunk in chunks:
        *whole, torn = (torn + chunk).split(b"\n")
        for raw in whole:
            following = offset + len(raw) + 1
            yield ScannedLine(journal, offset, following, decode_line(raw), raw)
            offset = following


def torn_bytes(file: JournalFile) -> int:
    """How many bytes stand after the last newline.

    Raises:
        OSError: The file cannot be read.
    """
    with open_journal(file) as stream:
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
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return try_lock(file)
    except OSError:  # a file system without locks
        return False
    finally:
        os.close(file)
