"""Pieces of journals as objects of a shared store: how they are cut, named, packed and unpacked; knows no storage.

A piece is a stretch of bytes of one journal, whole lines. One with events of a driver is named by the study's version
that it begins with, `versions/STUDY/VERSION`, and a key is created once: whoever writes a version of a study first has
written it, and a driver that was taken for dead and lives finds its next key taken. All others, such as a worker's
metrics, are named by their place, `loose/JOURNAL/OFFSET`.
"""

import hashlib
import json
import re
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from pegbox.schemas.errors import StoreCorruptError
from pegbox.storage.journal_files import JournalFile
from pegbox.storage.journal_lines import JournalLine
from pegbox.storage.scanning import ScannedLine, scan_lines

VERSIONS, LOOSE = "versions", "loose"
# Picked by hand: an event has a few hundred bytes, so that a piece is one request for all of a busy second, and a
# journal that comes whole, of a merge, is not one object that has to be read in one go.
PIECE_BYTES = 4 << 20
_JOURNAL = re.compile(r"[\w.-]{1,200}")
"""Names that journals have; others may write into the place too, and a name becomes a path."""


class Piece(NamedTuple):
    """Some bytes of a journal, from an offset on."""

    key: str
    journal: str
    offset: int
    content: bytes

    @property
    def end(self) -> int:
        """Offset of the byte after it."""
        return self.offset + len(self.content)

    @property
    def study(self) -> str | None:
        """The key of the study whose versions it holds; None for one that holds none."""
        folder, name, _ = self.key.split("/", 2)
        return name if folder == VERSIONS else None

    def packed(self) -> bytes:
        """The object: a line that says what it is, and the bytes."""
        head = {"journal": self.journal, "offset": self.offset, "bytes": len(self.content)}
        return json.dumps(head | {"crc": zlib.crc32(self.content)}).encode() + b"\n" + self.content


def unpacked(key: str, packed: bytes) -> Piece:
    """The piece that an object holds.

    Raises:
        StoreCorruptError: It is no piece, or not whole.
    """
    head, _, content = packed.partition(b"\n")
    try:
        said = json.loads(head)
        piece = Piece(key, str(said["journal"]), int(said["offset"]), content)
        is_whole = (len(content), zlib.crc32(content)) == (said["bytes"], said["crc"])
    except (ValueError, KeyError, TypeError) as error:
        raise StoreCorruptError(
            f"The object {key!r} of the shared store is no piece of a journal: {error!r}."
        ) from error
    if not is_whole or not _JOURNAL.fullmatch(piece.journal):
        raise StoreCorruptError(
            f"The object {key!r} of the shared store must hold the {said['bytes']} bytes of a journal that it names, "
            f"but holds {len(content)} others. Restore it from a version or backup of the storage."
        )
    return piece


def study_key(study: str) -> str:
    """What stands for a study in keys: a name may hold slashes and be longer than a key can be."""
    return hashlib.sha256(study.encode()).hexdigest()[:24]


def cut(file: JournalFile, start: int) -> Iterator[Piece]:
    """The pieces of what a journal holds from an offset on, up to the size that was listed.

    Raises:
        OSError: The file cannot be read.
    """
    lines: list[ScannedLine] = []
    first: str | None = None  # key of the first event in `lines` that has a version
    study = None
    for line in scan_lines(file, start):
        if line.byte_offset < start:
            continue  # the file was changed behind the store's back, and is scanned from its beginning
        key, owner = _key_of(line)
        is_full = bool(lines) and line.next_offset - lines[0].byte_offset > PIECE_BYTES
        if is_full or (owner is not None and study is not None and owner != study):
            yield _piece(file, lines, first)
            lines, first, study = [], None, None
        lines.append(line)
        first, study = first or key, study or owner
    if lines:
        yield _piece(file, lines, first)


def _key_of(line: ScannedLine) -> tuple[str | None, str | None]:
    """Key and study of an event that has a version; None twice for others."""
    if not isinstance(line.line, JournalLine) or line.line.version is None:
        return None, None
    study = str(json.loads(line.line.body)["study"])
    return f"{VERSIONS}/{study_key(study)}/{line.line.version:012d}", study


def _piece(file: JournalFile, lines: list[ScannedLine], key: str | None) -> Piece:
    start, end = lines[0].byte_offset, lines[-1].next_offset
    with file.path.open("rb") as stream:  # and not the lines: blank ones between them count as bytes
        stream.seek(start)
        content = stream.read(end - start)
    return Piece(key or f"{LOOSE}/{file.name}/{start:012d}", file.name, start, content)
