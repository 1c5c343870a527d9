"""Opens the snapshot for reading, always the newest one; writes nothing and needs no lock."""

import duckdb

from pegbox.schemas.errors import NotFoundError, StoreCorruptError, StoreError
from pegbox.storage.layout import StoreLayout, no_history
from pegbox.storage.master import OFFLINE, quoted
from pegbox.storage.migrate import SCHEMA_VERSION


def connect_snapshot(store: StoreLayout, settings: dict[str, str] | None = None) -> duckdb.DuckDBPyConnection:
    """A connection whose current database is the snapshot, attached read-only as `store`.

    Always a new database in memory: DuckDB gives a process that opens one path twice the file it opened first, which
    a publish has replaced since.

    Raises:
        NotFoundError: There is no snapshot.
        StoreCorruptError: It is damaged.
        StoreError: An older pegbox made it, and it cannot be brought up to date.
    """
    if not store.snapshot.exists():
        raise NotFoundError(no_history(store))
    connection = duckdb.connect(":memory:", config={**OFFLINE, **(settings or {})})
    try:
        connection.execute(f"ATTACH {quoted(str(store.snapshot))} AS store (READ_ONLY)")
        connection.execute("USE store")
        version = _version(connection)
    except duckdb.Error as error:
        connection.close()
        raise damaged(store, error) from error
    if version < SCHEMA_VERSION:
        connection.close()
        raise StoreError(
            f"The snapshot {store.snapshot} has schema {version}, but this pegbox reads schema {SCHEMA_VERSION}, and "
            "could not bring it up to date: the store cannot be written. Run `pegbox store rebuild` where it can be."
        )
    return connection


def _version(connection: duckdb.DuckDBPyConnection) -> int:
    ((version,),) = connection.execute("SELECT coalesce(max(version), 0) FROM schema_migrations").fetchall()
    return int(version)


def damaged(store: StoreLayout, error: Exception) -> StoreCorruptError:
    """The error for a snapshot that cannot be read."""
    return StoreCorruptError(
        f"The snapshot {store.snapshot} is damaged: {str(error).splitlines()[0]!r}. Run `pegbox store rebuild` to make "
        "it again from the journals."
    )
