"""Ingest: folds the event log into the master, idempotent, and publishes it; one process at a time, others go on."""

import json
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

import duckdb

from pegbox.schemas.errors import StoreCorruptError
from pegbox.storage.freshness import SEEN_FILE, is_current, seen_of
from pegbox.storage.journal_files import JournalFile, list_journals
from pegbox.storage.layout import StoreLayout, kind_of
from pegbox.storage.locks import exclusive
from pegbox.storage.master import close_master, explained, open_master
from pegbox.storage.projection import BatchLine, fold_again, project
from pegbox.storage.publish import publish
from pegbox.storage.scanning import ScannedLine, scan_lines
from pegbox.storage.sharing.synchronising import synchronise_if_reachable
from pegbox.storage.store import check_version, unwritable
from pegbox.storage.study_views import refresh_study_views
from pegbox.storage.transaction import transaction

# Picked by hand: the whole batch is in memory several times over (lines, Arrow, JSON, rows); smaller batches pay the
# fixed price of a transaction and of a fold more often.
BATCH_BYTES = 32 << 20


class Ingested(NamedTuple):
    """What one ingest did."""

    n_events: int
    n_bad: int
    published: bool


def ingest(store: StoreLayout, *, wait: bool = False, force: bool = False) -> Ingested | None:
    """Bring the snapshot up to date with the journals.

    Args:
        store: The store.
        wait: For another process that ingests now; otherwise its work is taken for ours.
        force: Publish even where the master is large and was published a moment ago.

    Returns:
        What was done; None where another process is ingesting.

    Raises:
        StoreUnwritableError: The disk is full or the directory read-only; the old snapshot stays.
        StoreNewerError: A newer pegbox wrote the store.
        StoreCorruptError: The store was made with another form of its migrations.
    """
    # Before the lock and the master are touched: a newer store stays as it is, byte for byte.
    check_version(store)
    try:
        with exclusive(store.ingest / "ingest.lock", wait=wait) as held:
            if not held:
                return None
            # Asked again under the lock: who held it before has most likely done our work.
            return Ingested(0, 0, published=True) if is_current(store) else _ingest(store, force)
    except OSError as error:
        raise unwritable(store, error) from error


def bring_up_to_date(store: StoreLayout) -> None:
    """All that can be known now: of a shared store what other machines published, and of each what its journals hold.

    Raises:
        StoreUnwritableError, StoreNewerError, StoreCorruptError: As `ingest`.
    """
    synchronise_if_reachable(store)
    ingest(store, wait=True, force=True)


def _ingest(store: StoreLayout, force: bool) -> Ingested:
    if kind_of(store.master) == "nothing" and kind_of(store.snapshot) == "nothing":
        return _fold_and_publish(store, force)  # the first time
    try:
        if kind_of(store.master) != "file":
            raise StoreCorruptError(f"{store.master} must be a file, but is a {kind_of(store.master)}.")
        return _fold_and_publish(store, force)
    except StoreCorruptError:
        from pegbox.storage.rebuilding import rebuild_master  # here: it folds by what stands below

        done = rebuild_master(store, "damaged")
        return Ingested(done.n_events, done.n_bad, published=True)


def _fold_and_publish(store: StoreLayout, force: bool) -> Ingested:
    files = list_journals(store)
    n_events, n_bad = fold_journals(store, files)
    return Ingested(n_events, n_bad, publish_folded(store, files, force=force))


def fold_journals(store: StoreLayout, files: list[JournalFile]) -> tuple[int, int]:
    """Take into the master what the journals hold beyond it, and close it; the caller holds the ingest lock.

    Returns:
        The number of events taken and of lines set aside.

    Raises:
        StoreUnwritableError: The disk is full.
        StoreCorruptError: The master is damaged.
        OSError: A journal cannot be read.
    """
    n_events = n_bad = 0
    connection = open_master(store)
    try:
        # First: an older schema left studies unjudged, and the batch below judges only what it touches.
        _fold_again(connection)
        offsets = dict(connection.execute("SELECT name, byte_offset FROM journals").fetchall())
        for batch in _batches(files, offsets):
            done = _fold(connection, batch)
            n_events, n_bad = n_events + done[0], n_bad + done[1]
        # After the last batch: a study that arrives in two batches gets its view once. Before closing: a view is part
        # of the file that is copied.
        refresh_study_views(connection)
        close_master(store, connection)
    except duckdb.Error as error:
        raise explained(store, error) from error
    finally:
        connection.close()
    return n_events, n_bad


def publish_folded(store: StoreLayout, files: list[JournalFile], *, force: bool) -> bool:
    """Publish a closed master and remember which state of the journals it has; the caller holds the ingest lock.

    Returns:
        True if the snapshot is now up to date.

    Raises:
        StoreUnwritableError: The disk is full; the old snapshot stays.
    """
    published = publish(store, force=force)
    if published:
        draft = store.ingest / f"{SEEN_FILE}.tmp"
        # For who asks whether anything is new without opening the database.
        # The list that was read, not a new one: what was appended since must count as unseen.
        draft.write_text(json.dumps(seen_of(files)))
        draft.replace(store.ingest / SEEN_FILE)
    return published


def _batches(files: list[JournalFile], offsets: dict[str, int]) -> Iterator[list[ScannedLine]]:
    """Lines of all journals, cut where they fill a transaction."""
    new = (
        file
        for file in files
        if (file.name not in offsets if file.n_bytes is None else file.n_bytes != offsets.get(file.name, 0))
    )
    batch: list[ScannedLine] = []
    n_bytes = 0
    for line in chain.from_iterable(scan_lines(file, offsets.get(file.name, 0)) for file in new):
        batch.append(line)
        n_bytes += len(line.raw)
        if n_bytes >= BATCH_BYTES:
            yield batch
            batch, n_bytes = [], 0
    if batch:
        yield batch


def _fold(connection: duckdb.DuckDBPyConnection, batch: list[ScannedLine]) -> tuple[int, int]:
    """Fold a batch in one transaction; where a line breaks it, halve until that line stands alone.

    Returns:
        The number of lines taken and of lines set aside.
    """
    try:
        return _fold_whole(connection, batch)
    # Halving finds one bad line of n in some 2 log2(n) folds; every other error is one of the database, and no line is
    # to blame.
    except (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.ConstraintException) as error:
        if len(batch) == 1:
            return _fold_whole(connection, [batch[0]._replace(line=str(error).splitlines()[0])])
    middle = len(batch) // 2
    left, right = _fold(connection, batch[:middle]), _fold(connection, batch[middle:])
    return left[0] + right[0], left[1] + right[1]


def _fold_whole(connection: duckdb.DuckDBPyConnection, batch: list[ScannedLine]) -> tuple[int, int]:
    good = [BatchLine(line.journal, line.byte_offset, line.line) for line in batch if not isinstance(line.line, str)]
    bad = [line for line in batch if isinstance(line.line, str)]
    with transaction(connection):
        if good:
            project(connection, good)
        for line in bad:
            connection.execute(
                "INSERT INTO quarantine SELECT $1, $2, $3, $4, now() "
                "WHERE NOT EXISTS (FROM quarantine WHERE journal = $1 AND line = $4)",
                [line.journal, line.byte_offset, line.line, line.raw.decode(errors="replace")],
            )
        # In the same transaction as the rows: a kill leaves both or neither, so that the batch can simply be read
        # again.
        _advance(connection, batch)
    return len(good), len(bad)


def _fold_again(connection: duckdb.DuckDBPyConnection) -> None:
    with transaction(connection):
        fold_again(connection)


def _advance(connection: duckdb.DuckDBPyConnection, batch: list[ScannedLine]) -> None:
    """Move the offset of each journal, in the transaction that holds its rows.

    The offset follows a file that became shorter or is read again from its beginning; counts and last number are of
    all that was ever taken of it, so that what it lost since shows.
    """
    # By the number of a line, not by its place: a journal that was mended or restored is read again from its
    # beginning, and nothing counts twice.
    by_journal: dict[str, list[ScannedLine]] = {}
    for line in batch:
        by_journal.setdefault(line.journal, []).append(line)
    for name, lines in by_journal.items():
        row = connection.execute("SELECT last_seq FROM journals WHERE name = $1", [name]).fetchone()
        last = row[0] if row else 0
        new = {line.line.seq for line in lines if not isinstance(line.line, str) and line.line.seq > last}
        n_bad = sum(isinstance(line.line, str) for line in lines)
        moved = [name, lines[-1].next_offset, len(new), n_bad, max(new, default=last)]
        if row is None:
            connection.execute("INSERT INTO journals VALUES ($1, $2, $3, $4, $5)", moved)
        else:
            connection.execute(
                "UPDATE journals SET byte_offset = $2, n_events = n_events + $3, n_bad = n_bad + $4, last_seq = $5 "
                "WHERE name = $1",
                moved,
            )
