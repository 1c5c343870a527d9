"""Makes the master again from the journals, without losing what only a database holds; the caller holds the lock."""

import os
import shutil
import time
from collections import Counter
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from pegbox.schemas.errors import StoreLossError
from pegbox.schemas.word_lists import listed
from pegbox.storage.freshness import seen_journals
from pegbox.storage.ingest import fold_journals, publish_folded
from pegbox.storage.journal_files import list_journals
from pegbox.storage.layout import StoreLayout, kind_of
from pegbox.storage.master import CLOSED_FILE, read_only, remove_logs
from pegbox.storage.salvage import Part, Salvaged, remember_saved, salvage

Why = Literal["before", "damaged"]
"""Begins the name of a database that is kept: it was there before a rebuild, or was found damaged."""


@dataclass(frozen=True, slots=True)
class _Draft(StoreLayout):
    """The same store, with a master that nobody knows yet."""

    @property
    def ingest(self) -> Path:
        """Below the ingestor's own directory, so that a rename puts the new master into its place."""
        return self.root / "ingest" / "draft"


class RebuiltMaster(NamedTuple):
    """What the new database was made of.

    `kept` is where the old master lies now, None where there was none.
    """

    n_events: int
    n_bad: int
    saved: Salvaged
    kept: Path | None


def rebuild_master(store: StoreLayout, word: Why, *, force: bool = True) -> RebuiltMaster:
    """Make master and snapshot again from the journals; what only the old ones hold is written into a journal first.

    The old master is kept beside the new one. A kill in between costs nothing: whatever was saved is in a journal.

    Args:
        store: The store; the caller holds its ingest lock.
        word: Why, for the name under which the old master is kept.
        force: Also where no database can be read and the journals are not whole.

    Raises:
        StoreLossError: Something would be lost, and `force` is off; nothing but journals was written.
        StoreUnwritableError: The disk is full.
        OSError: Likewise.
    """
    draft = _Draft(store.root)
    shutil.rmtree(draft.ingest, ignore_errors=True)
    draft.ingest.mkdir()
    try:
        n_events, n_bad = fold_journals(draft, list_journals(store))
        saved, losses = _save(store, draft)
        if losses and not force:
            raise _refused(store, losses)
        # Aside before the new one comes, never over it: were the rebuild wrong, the old one is all that shows it.
        kept = _put_aside(store, store.master, word)
        # The old log belongs to the old master: DuckDB would replay it into the new one.
        remove_logs(store)
        for name in (CLOSED_FILE, draft.master.name):  # the master last: where it is missing it is made again
            (draft.ingest / name).replace(store.ingest / name)
    finally:
        shutil.rmtree(draft.ingest, ignore_errors=True)
    if kind_of(store.snapshot) not in {"file", "nothing"}:
        _put_aside(store, store.snapshot, word)
    publish_folded(store, list_journals(store), force=True)
    return RebuiltMaster(n_events + sum(saved), n_bad, saved, kept)


def _save(store: StoreLayout, draft: StoreLayout) -> tuple[Salvaged, list[str]]:
    """Save what the old databases hold; gives how much, and in sentences what would be lost all the same."""
    present = [path for path in (store.master, store.snapshot) if kind_of(path) != "nothing"]
    found, shorter = Counter[str](), dict[str, int]()
    is_readable = False
    parts: tuple[Part, ...] = ("events", "reports")
    # The master first: it is never older than the snapshot, so that the snapshot has little left to save. Events
    # before reports, which need the names that renames give.
    for path, part in product(present, parts):
        saved = salvage(store, path, draft.master, part, shorter)
        is_readable = is_readable or (saved is not None and part == "reports")
        if saved:  # so that the next one saves only what is still missing
            found[part] += saved
            fold_journals(draft, list_journals(store))
    remember_saved(store, shorter)
    losses = [] if is_readable or not present else _losses(store, draft)
    return Salvaged(found["events"], found["reports"]), losses


def _losses(store: StoreLayout, draft: StoreLayout) -> list[str]:
    """What a database that cannot be read may hold and the journals do not."""
    missing = sorted(seen_journals(store) - {file.name for file in list_journals(store)})
    with read_only(draft.master) as connection:
        damaged = connection.execute("SELECT name, n_bad FROM journals WHERE n_bad > 0 ORDER BY name").fetchall()
        gaps = connection.execute(
            "SELECT name, last_seq - n_events FROM journals WHERE last_seq > n_events AND n_bad = 0 ORDER BY name"
        ).fetchall()
    return [
        *(f"the journal {name} is gone" for name in missing),
        *(f"the journal {name} has {n} damaged lines" for name, n in damaged),
        *(f"the journal {name} lacks {n} lines" for name, n in gaps),
    ]


def _refused(store: StoreLayout, losses: list[str]) -> StoreLossError:
    shown = listed(losses, 10, "; ")
    return StoreLossError(
        f"Neither {store.master} nor {store.snapshot.name} can be read, so what they alone hold would be missing from "
        f"the new database: {shown}. Restore the journals or a database from a backup, or give --force to go on with "
        "what the journals hold; the old master is kept."
    )


def put_aside(store: StoreLayout) -> list[Path]:
    """What was kept when a database was made again, the oldest first, logs of DuckDB included."""
    kept = [path for word in get_args(Why) for path in store.ingest.glob(f"{word}-*T*-*.duckdb*")]
    return sorted(kept, key=lambda path: path.lstat().st_mtime)


def _put_aside(store: StoreLayout, path: Path, word: Why) -> Path | None:
    """Give what lies at a path, whatever it is, another name; None where there is nothing."""
    if kind_of(path) == "nothing":
        return None
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    aside = store.ingest / f"{word}-{stamp}-{path.name}"
    number = 1
    while kind_of(aside) != "nothing":
        number += 1
        aside = store.ingest / f"{word}-{stamp}-{number}-{path.name}"
    path.replace(aside)
    os.utime(aside)  # from now on it is kept, however long ago it was written last
    log = path.with_name(f"{path.name}.wal")
    if log.exists():
        log.replace(aside.with_name(f"{aside.name}.wal"))
    return aside
