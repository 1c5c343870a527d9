"""Tells from the outside whether the snapshot is up to date; opens no database and loads nothing heavy."""

import hashlib
import json
import time
from functools import cache
from pathlib import Path

from pegbox.storage.journal_files import JournalFile, list_journals, sizes
from pegbox.storage.layout import StoreLayout

SEEN_FILE = "seen.json"
"""What the snapshot was last published from: `seen_of` the journals."""
LIVE_SECONDS = 3.0
"""A snapshot of this age is taken as it is: a running study publishes more often than that."""


@cache
def database_form() -> str:
    """Checksum of the migrations and views: a snapshot of another form is made anew though no journal has grown."""
    here = Path(__file__).parent
    texts = [path.read_bytes() for name in ("migrations", "views") for path in sorted((here / name).glob("*.sql"))]
    # 64 bits: it is compared with one other value, never searched for among many.
    return hashlib.sha256(b"".join(texts)).hexdigest()[:16]


def seen_of(files: list[JournalFile]) -> dict[str, object]:
    """What a snapshot is made from: the form of the database, and each journal up to its size."""
    return {"form": database_form(), "journals": sizes(files)}


def seen_journals(store: StoreLayout) -> set[str]:
    """Names of the journals when the snapshot was last published; none where that is not known."""
    try:
        return set(json.loads((store.ingest / SEEN_FILE).read_text())["journals"])
    except (OSError, ValueError, TypeError, KeyError):
        return set()


def is_current(store: StoreLayout) -> bool:
    """True if no journal has grown since the last publish, and the database is of this program's form."""
    try:
        seen = json.loads((store.ingest / SEEN_FILE).read_text())
        # Sizes tell all that appending can change, in a stat for each journal; opening DuckDB to ask would take a
        # tenth of a second in every reading command.
        return bool(seen == seen_of(list_journals(store))) and not is_stale(store)
    except (OSError, ValueError):
        return False


def is_fresh(store: StoreLayout) -> bool:
    """True if nothing is missing, or what is missing is younger than `LIVE_SECONDS`."""
    if is_current(store):
        return True
    # The time of the inode, not of the content, which is copied from the master to say which state of it this is. Not
    # below 0: a clock that was set back would make an old snapshot fresh for hours.
    return store.snapshot.exists() and 0 <= time.time() - store.snapshot.stat().st_ctime < LIVE_SECONDS


def is_stale(store: StoreLayout) -> bool:
    """True if the master has changed since the snapshot was made of it."""
    if not store.snapshot.exists():
        return True
    if not store.master.exists():
        return True
    master, snapshot = store.master.stat(), store.snapshot.stat()
    return (master.st_mtime_ns, master.st_size) != (snapshot.st_mtime_ns, snapshot.st_size)
