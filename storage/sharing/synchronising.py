"""Replication of journals: this mirror's go to the shared store as pieces, those of other machines come from it.

What a mirror has acknowledged is on its own disk, and in the shared store a moment later. Two machines that write one
version of a study are told apart by its key, which is created once: the second one's events were never part of the
common history; they are set aside, and their driver ends.
"""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pegbox.schemas.errors import StoreUnreachableError
from pegbox.storage.freshness import SEEN_FILE
from pegbox.storage.journal_files import JournalFile, list_journals
from pegbox.storage.layout import StoreLayout
from pegbox.storage.locks import exclusive
from pegbox.storage.master import remove_logs
from pegbox.storage.scanning import unpack_archive, writer_is_gone
from pegbox.storage.sharing.address import mirror_of
from pegbox.storage.sharing.known_pieces import KnownPieces
from pegbox.storage.sharing.lease import remember_leases
from pegbox.storage.sharing.pieces import LOOSE, VERSIONS, Piece, cut, unpacked
from pegbox.storage.sharing.place import SharedPlace

# Picked by hand: a storage answers in some tens of milliseconds, and many at once; a batch of the largest pieces is a
# quarter of a gigabyte.
FETCH_AT_ONCE = 64
RECENT_SECONDS = 1.0
"""Readers that come this soon after a synchronisation see what it brought: a page asks several times for one view."""

_logger = logging.getLogger(__name__)


def synchronise(store: StoreLayout, *, wait: bool = True) -> frozenset[str]:
    """Publish what this mirror's writers recorded, and bring what those of other machines did.

    Args:
        store: Nothing happens where it is not shared.
        wait: For another process that does so now; otherwise its work is taken for ours.

    Returns:
        Names of journals whose writers live and were taken for dead: other machines went on with their studies, and
        what was not published before never will be.

    Raises:
        StoreUnreachableError: The storage does not answer; whatever came or went so far stays.
        StoreCorruptError: An object there is damaged.
    """
    mirror = mirror_of(store)
    if mirror is None:
        return frozenset()
    place = SharedPlace(mirror.url)
    with exclusive(store.shared / "synchronise.lock", wait=wait) as held:
        if not held:
            return frozenset()
        known = KnownPieces(store.shared / "pieces.tsv")
        known.forget(_damaged(store, known))
        # First: where a version was written by another machine too, ours goes before theirs comes.
        publishing = _Publishing(store, place, known)
        publishing.run()
        _bring(store, place, known, publishing.refused)
        remember_leases(store, place)
        (store.shared / "synchronised").touch()
        return frozenset(publishing.refused)


def synchronise_if_reachable(store: StoreLayout, *, recent_is_enough: bool = False) -> None:
    """Synchronise; where the storage does not answer, work with what this machine saw last, and warn.

    Args:
        store: Nothing happens where it is not shared.
        recent_is_enough: Do nothing a moment after another synchronisation.
    """
    if mirror_of(store) is None or (recent_is_enough and _is_recent(store)):
        return
    try:
        # A reader does not wait for a driver that synchronises every other second; a writer's work has to go out.
        synchronise(store, wait=not recent_is_enough)
    except StoreUnreachableError as error:
        _logger.warning("%s The history is that which this machine saw last.", error)


def unpublished(store: StoreLayout) -> int:
    """How many bytes of this mirror's journals the shared store does not hold; 0 for a store that is not shared."""
    if mirror_of(store) is None:
        return 0
    known = KnownPieces(store.shared / "pieces.tsv")
    files = [file for file in list_journals(store) if (file.n_bytes or 0) > known.end_of(file.name)]
    return sum(len(piece.content) for file in files for piece in cut(file, known.end_of(file.name)))


def _is_recent(store: StoreLayout) -> bool:
    try:
        return 0 <= time.time() - (store.shared / "synchronised").stat().st_mtime < RECENT_SECONDS
    except FileNotFoundError:
        return False


def _damaged(store: StoreLayout, known: KnownPieces) -> set[str]:
    """Journals that somebody deleted or cut in this mirror, and that the shared store holds."""
    files = list_journals(store)
    whole = {one.name for one in files if one.n_bytes is None or one.n_bytes >= known.end_of(one.name)}
    return known.journals - whole


class _Publishing:
    """One pass over the journals of a mirror.

    Attributes:
        refused: Journals of writers that live, to the key of the study that another machine goes on with.
    """

    def __init__(self, store: StoreLayout, place: SharedPlace, known: KnownPieces) -> None:
        self._store, self._place, self._known = store, place, known
        self._lost: set[str] = set()
        self.refused: dict[str, str] = {}

    def run(self) -> None:
        """Publish what is new, in the order of `list_journals`: what a worker measured before what a driver made of it.

        Raises:
            StoreUnreachableError: The storage does not answer.
        """
        files = list_journals(self._store)
        alive = {_writer_of(file.name) for file in files if not file.is_archived and not writer_is_gone(file.path)}
        for file in files:
            lost = self._publish(file)
            if lost is None:
                continue
            self._lost.add(lost)
            if _writer_of(file.name) in alive:
                self.refused[file.name] = lost
            else:
                _set_aside(self._store, file, self._known.end_of(file.name))

    def _publish(self, file: JournalFile) -> str | None:
        """Publish what a journal holds beyond the shared store; gives the key of the study that another machine has."""
        # Listed once: what is appended meanwhile may come after what another journal says of it.
        while (file.n_bytes or 0) > (end := self._known.end_of(file.name)):
            piece = next(cut(file, end), None)
            if piece is None:
                return None  # a line that is being written
            # What follows events that were lost is lost with them, also in the next file of their writer.
            if piece.study in self._lost:
                return piece.study
            settled = unpacked(piece.key, self._place.settle(piece.key, piece.packed()))
            if not _is_same(settled, piece):
                return piece.study or ""
            if settled.end > (file.n_bytes or 0):
                return None  # a journal that came from there, cut off by a kill: the rest comes again
            self._known.add([settled])
        return None


def _writer_of(journal: str) -> str:
    """Kind, host and process of a journal's writer, of which the file before the one it writes now is open no more."""
    return journal.partition("-")[2].rpartition("-")[0]


def _is_same(settled: Piece, piece: Piece) -> bool:
    """True if it is the same stretch, of which one may be longer: a try that was cut off took less, or more."""
    n = min(len(settled.content), len(piece.content))
    return settled[1:3] == piece[1:3] and settled.content[:n] == piece.content[:n]


def _set_aside(store: StoreLayout, file: JournalFile, end: int) -> None:
    """Put away what no other machine will ever see, and have the database made anew without it."""
    aside = store.shared / f"not-published-{file.name}-{end}.jsonl"
    with exclusive(store.ingest / "ingest.lock", wait=True):
        with file.path.open("rb") as stream:
            stream.seek(end)
            aside.write_bytes(stream.read())
        os.truncate(file.path, end)
        # The database may hold the lines. Were it rebuilt beside the old one, they would be saved into a journal.
        for path in (store.master, store.snapshot, store.ingest / SEEN_FILE):
            path.unlink(missing_ok=True)
        remove_logs(store)
    _logger.warning(
        "Another machine went on with a study while nothing was heard of this one; what was not published before is no "
        "part of its history, and lies in %s",
        aside,
    )


def _bring(store: StoreLayout, place: SharedPlace, known: KnownPieces, refused: dict[str, str]) -> None:
    """Fetch what is new, but of a study whose driver here has to end first: the database would hold versions twice."""
    # Versions are listed first and fetched last: so all that was published before an event that is brought comes too.
    versions = [key for key in place.keys(f"{VERSIONS}/") if key.split("/")[1] not in refused.values()]
    keys = [key for key in (*place.keys(f"{LOOSE}/"), *versions) if key not in known.keys]
    waiting: list[Piece] = []
    for first in range(0, len(keys), FETCH_AT_ONCE):
        fetched = place.read(keys[first : first + FETCH_AT_ONCE])
        waiting += (unpacked(key, packed) for key, packed in fetched.items())
        brought = list(_append(store, waiting))
        for path in {store.journal / f"{piece.journal}.jsonl" for piece in brought}:
            _make_durable(path)  # before the list says so, which keeps a piece from being fetched again
        known.add(brought)
        waiting = [piece for piece in waiting if piece.key not in known.keys]


def _append(store: StoreLayout, pieces: list[Piece]) -> Iterator[Piece]:
    """Append pieces to their journals, and give those that now stand there; one with a gap before it is left out."""
    for piece in sorted(pieces, key=lambda one: (one.journal, one.offset)):
        path = store.journal / f"{piece.journal}.jsonl"
        if not path.exists():
            with suppress(FileNotFoundError):
                unpack_archive(store.archive / f"{piece.journal}.jsonl.zst", path)
        with path.open("ab") as stream:
            os.fchmod(stream.fileno(), 0o600)
            size = stream.tell()
            if size < piece.offset:
                continue
            # A part of it may stand there, from a synchronisation that was killed.
            stream.write(piece.content[size - piece.offset :])
        yield piece


def _make_durable(path: Path) -> None:
    for opened in (path, path.parent):
        file = os.open(opened, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)
