"""Reads what journals hold beyond what was ingested; changes nothing."""

import io
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

from pegbox.storage.journal_lines import JournalLine, decode_line
from pegbox.storage.layout import StoreLayout

CHUNK_BYTES = 8 << 20


class JournalFile(NamedTuple):
    """A journal as it lay in the directory at one moment.

    `n_bytes` is None for an archived journal: its size shows only when it is read.
    """

    name: str
    path: Path
    n_bytes: int | None

    @property
    def is_archived(self) -> bool:
        """True if the file is compressed and complete."""
        return self.n_bytes is None


class ScannedLine(NamedTuple):
    """One line of a journal; `line` says what is wrong where it is damaged."""

    journal: str
    byte_offset: int
    next_offset: int
    line: JournalLine | str
    raw: bytes


def list_journals(store: StoreLayout) -> list[JournalFile]:
    """All journals, in an order in which what a worker measured comes before what its driver made of it.

    The sizes of the drivers' journals are taken first and read last: so a snapshot never shows a trial whose
    driver has finished it and whose last metrics, written before, are missing.
    """
    drivers = sorted(store.journal.glob("*-driver-*.jsonl"))
    files = [JournalFile(path.stem, path, path.stat().st_size) for path in drivers]
    others = sorted(set(store.journal.glob("*.jsonl")) - set(drivers))
    files = [JournalFile(path.stem, path, path.stat().st_size) for path in others] + files
    present = {file.name for file in files}
    for path in sorted(store.archive.glob("*.jsonl.zst")):
        name = path.name.removesuffix(".jsonl.zst")
        if name not in present:
            files.append(JournalFile(name, path, None))
    return files


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


def sizes(files: list[JournalFile]) -> Mapping[str, int | None]:
    """Name to size, to tell whether anything was written since."""
    return {file.name: file.n_bytes for file in files}


def writer_is_gone(path: Path) -> bool:
    """True if no process holds a journal open for writing."""
    from pegbox.storage.locks import try_lock

    file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        return try_lock(file)
    finally:
        os.close(file)
