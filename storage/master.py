"""Opens the master database for the one ingestor, migrated; nobody else opens it."""

import json
import re
from pathlib import Path

import duckdb

from pegbox.schemas.errors import StoreCorruptError, StoreError, StoreUnwritableError
from pegbox.storage.layout import StoreLayout
from pegbox.storage.migrate import SCHEMA_VERSION, applied, migrate, migrations
from pegbox.storage.store import newer, read_version, write_version
from pegbox.storage.views import refresh_views

OFFLINE = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
}
"""No connection of pegbox ever looks for an extension on the network."""

# What reads DuckDB outside of pegbox (the command line, JDBC, dashboards) is mostly of 1.5 still; what 2.0 writes by
# itself only 2.0 opens. A file keeps what it was made with: `store rebuild` makes an older store's again.
READERS_FROM = {"storage_compatibility_version": "v1.5.0"}
"""The oldest DuckDB that opens a new store's files."""

# DuckDB has no class for damage: it comes as IO, internal, serialisation or fatal error, so that its words are all
# there is to go by. A newer DuckDB may use others; an error that no word fits is told as it came.
_DAMAGE = re.compile(
    r"checksum|not a valid DuckDB|corrupt|deserializ|serializ|magic bytes|invalidated|INTERNAL|unexpected|"
    r"catalog entry|wal file|Could not read",
    re.IGNORECASE,
)
_NO_ROOM = re.compile(
    r"no space left|disk quota|could not write|failed to write|read-only file system|cannot open file", re.IGNORECASE
)


def open_master(store: StoreLayout) -> duckdb.DuckDBPyConnection:
    """A connection to the master, at this program's schema; the caller holds the ingest lock.

    Raises:
        StoreNewerError: A newer pegbox made it; it was not touched.
        StoreCorruptError: It is damaged.
        StoreUnwritableError: The disk is full.
    """
    if not store.master.exists():
        remove_logs(store)
    is_suspect = store.master.exists() and not was_left_alone(store)
    try:
        if read_version(store) is None:
            refuse_newer(store)
        # Two threads, picked by hand: the ingest works beside training, which needs the cores more than readers need
        # the last second.
        connection = duckdb.connect(str(store.master), config={**OFFLINE, **READERS_FROM, "threads": 2})
    except duckdb.Error as error:
        raise explained(store, error) from error
    try:
        if read_version(store) != SCHEMA_VERSION:
            write_version(store)  # first, so that no older program ever opens a database of a newer schema
        # Reading all blocks takes as long as reading the file, so it is done only where a kill or another program may
        # have left damage; DuckDB would notice it at the first query that meets the block, after more was built on it.
        if is_suspect:
            read_everything(connection)
        migrate(connection, migrations())
        refresh_views(connection)
    except duckdb.Error as error:
        connection.close()
        raise explained(store, error) from error
    except BaseException:
        connection.close()
        raise
    return connection


CLOSED_FILE = "closed.json"
"""Time and size of the master when an ingestor last closed it."""


def close_master(store: StoreLayout, connection: duckdb.DuckDBPyConnection) -> None:
    """Write everything into the file and close it; remember what it looks like, to notice if it is changed.

    Raises:
        duckdb.Error: The disk is full.
        OSError: Likewise.
    """
    # The snapshot is a copy of the one file: what stands in the write-ahead log alone would be missing from it.
    connection.execute("CHECKPOINT")
    connection.close()
    draft = store.ingest / f"{CLOSED_FILE}.tmp"
    draft.write_text(json.dumps(_looks(store)))
    draft.replace(store.ingest / CLOSED_FILE)


def was_left_alone(store: StoreLayout) -> bool:
    """True if the master is as the last ingestor closed it; not after a kill, nor after damage."""
    try:
        return bool(json.loads((store.ingest / CLOSED_FILE).read_text()) == _looks(store))
    except (OSError, ValueError):
        return False


def _looks(store: StoreLayout) -> list[int]:
    stat = store.master.stat()
    return [stat.st_mtime_ns, stat.st_size]


def read_everything(connection: duckdb.DuckDBPyConnection) -> None:
    """Read every block of the master, so that DuckDB compares every checksum before anything is built on it.

    Raises:
        duckdb.Error: It is damaged.
    """
    for (table,) in connection.execute("SELECT table_name FROM duckdb_tables() WHERE NOT internal").fetchall():
        # Something must be made of every column, or DuckDB reads none of them.
        connection.execute(f"SELECT bit_xor(hash(t)) FROM {identifier(table)} AS t").fetchall()  # noqa: S608 - quoted


def refuse_newer(store: StoreLayout) -> None:
    """Look at the schema through a read-only connection, so that a newer store stays byte for byte as it is.

    Raises:
        StoreNewerError: A newer pegbox made it.
    """
    if not store.master.exists():
        return
    with read_only(store.master) as connection:
        version = max(applied(connection), default=0)
    if version > len(migrations()):
        raise newer(store, version)


def read_only(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection that can only read a database, and leaves it byte for byte as it is.

    Raises:
        duckdb.Error: It is damaged.
    """
    # In memory and attached: `duckdb.connect(path)` may hand over the instance that this process has cached for that
    # path, of a file that was replaced since (DuckDB 2.0).
    connection = duckdb.connect(":memory:", config={**OFFLINE})
    try:
        connection.execute(f"ATTACH {quoted(str(path))} AS read (READ_ONLY)")
        connection.execute("USE read")
    except BaseException:
        connection.close()
        raise
    return connection


def remove_logs(store: StoreLayout) -> None:
    """Delete what a killed ingestor left of a master that is gone: it belongs to no other."""
    for leftover in store.ingest.glob("master.duckdb.wal*"):
        leftover.unlink()


def quoted(text: str) -> str:
    """An SQL string."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """An SQL name."""
    return '"' + name.replace('"', '""') + '"'


def explained(store: StoreLayout, error: duckdb.Error) -> StoreError:
    """What an error of the master database means for who meets it."""
    said = str(error).splitlines()[0]
    # First: what DuckDB says of a full disk may speak of its write-ahead log too, and nothing is damaged then.
    if _NO_ROOM.search(said):
        return StoreUnwritableError(
            f"The history {store.master} must be written, but the database said: {said!r}. Everything in the journals "
            "is kept. Make room and run the same command again."
        )
    if _DAMAGE.search(said):
        return StoreCorruptError(
            f"The database {store.master} is damaged: {said!r}. Run `pegbox store rebuild` to make it again from the "
            "journals."
        )
    return StoreError(f"The history {store.master} could not be brought up to date: {said!r}.")
