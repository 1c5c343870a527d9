"""Prefect's database before its first row: made once for each version, then copied, since making it takes long."""

import contextlib
import os
import sqlite3
import tempfile
from importlib.metadata import version
from pathlib import Path

DATABASE = "prefect.db"


def lay_fresh(home: Path) -> bool:
    """Put a database without rows into a home that has none, where one was made before.

    Its hundred migrations take 8 s of a core (Prefect 3.9.1), which every new store would pay again.

    Returns:
        True where one lies there now.
    """
    with contextlib.suppress(OSError, sqlite3.Error):
        _copy(_template(), home / DATABASE)
        return True
    return False


def keep_fresh(home: Path) -> None:
    """Keep a database that was migrated, and that nobody has written to yet, for the next store.

    A cache that cannot be written, or a database that holds anything, is left alone.
    """
    with contextlib.suppress(OSError, sqlite3.Error):
        if not _holds_rows(home / DATABASE):
            template = _template()
            template.parent.mkdir(parents=True, exist_ok=True)
            _copy(home / DATABASE, template)


def _template() -> Path:
    """In the user's cache: other versions have other tables."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "pegbox" / f"prefect-{version('prefect')}.db"


def _copy(source: Path, target: Path) -> None:
    """In one step, so that nobody opens half a database; by SQLite, as part of it may lie in a log beside the file."""
    handle, part = tempfile.mkstemp(dir=target.parent)
    os.close(handle)
    try:
        with contextlib.closing(_read(source)) as there, contextlib.closing(sqlite3.connect(part)) as here:
            there.backup(here)
            # Else whoever reads it would leave files beside it; Prefect chooses its own way when it opens it.
            here.execute("PRAGMA journal_mode = DELETE")
        Path(part).replace(target)
    finally:
        Path(part).unlink(missing_ok=True)


def _holds_rows(database: Path) -> bool:
    """True if any table but that of the migrations does: what a user's runs left is handed to no other store."""
    with contextlib.closing(_read(database)) as opened:
        names = [name for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        others = (name for name in names if name != "alembic_version" and not name.startswith("sqlite_"))
        return any(opened.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone() for name in others)  # noqa: S608


def _read(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)
