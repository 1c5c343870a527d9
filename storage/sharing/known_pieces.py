"""Which pieces of a shared store a mirror has: a list that grows by a line each, and how far journals are there."""

import os
from collections.abc import Collection, Iterable
from pathlib import Path

from pegbox.storage.sharing.pieces import Piece


class KnownPieces:
    """Read from its file at each synchronisation, under the lock of that."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._journals: dict[str, str] = {}
        self._ends: dict[str, int] = {}
        content = path.read_bytes() if path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            # Of a writer that was killed; the piece is settled or fetched once more, to no effect.
            os.truncate(path, len(whole))
        for line in whole.decode().splitlines():
            key, journal, end = line.split("\t")
            self._take(key, journal, int(end))

    @property
    def keys(self) -> Collection[str]:
        """Of the pieces."""
        return self._journals.keys()

    @property
    def journals(self) -> set[str]:
        """Names of the journals that they are of."""
        return set(self._ends)

    def end_of(self, journal: str) -> int:
        """How many bytes of a journal the shared store holds."""
        return self._ends.get(journal, 0)

    def add(self, pieces: Iterable[Piece]) -> None:
        """Remember pieces that are in the shared store and in this mirror's journals."""
        with self._path.open("a") as stream:
            for piece in pieces:
                stream.write(f"{piece.key}\t{piece.journal}\t{piece.end}\n")
                self._take(piece.key, piece.journal, piece.end)

    def forget(self, journals: set[str]) -> None:
        """Have the pieces of journals fetched again."""
        if not journals:
            return
        kept = [(key, journal, self._ends[journal]) for key, journal in self._journals.items()]
        self._journals, self._ends = {}, {}
        draft = self._path.with_suffix(".tmp")
        with draft.open("w") as stream:
            for key, journal, end in kept:
                if journal not in journals:
                    stream.write(f"{key}\t{journal}\t{end}\n")
                    self._take(key, journal, end)
        draft.replace(self._path)

    def _take(self, key: str, journal: str, end: int) -> None:
        self._journals[key] = journal
        self._ends[journal] = max(end, self._ends.get(journal, 0))
