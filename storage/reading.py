"""Opens the snapshot for reading, always the newest one; writes nothing and needs no lock."""

import duckdb

from pegbox.schemas.errors import NotFoundError, StoreCorruptError
from pegbox.storage.layout import StoreLayout
from pegbox.storage.master import OFFLINE, quoted


def connect_snapshot(store: StoreLayout, settings: dict[str, str] | None = None) -> duckdb.DuckDBPyConnection:
    """A connection whose current database is the snapshot, attached read-only as `store`.

    Always a new database in memory: DuckDB gives a process that opens one path twice the file it opened first, which
    a publish has replaced since.

    Raises:
        NotFoundError: There is no snapshot.
        StoreCorruptError: It is damaged.
    """
    if not store.snapshot.exists():
        raise NotFoundError(
            f"There is no history in {store.root}. Run a study first, or name the store with --store or PEGBOX_STORE."
        )
    connection = duckdb.connect(":memory:", config={**OFFLINE, **(settings or {})})
    try:
        connection.execute(f"ATTACH {quoted(str(store.snapshot))} AS store (READ_ONLY)")
        connection.execute("USE store")
    except duckdb.Error as error:
        connection.close()
        raise damaged(store, error) from error
    return connection


def damaged(store: StoreLayout, error: Exception) -> StoreCorruptError:
    """The error for a snapshot that cannot be read."""
    return StoreCorruptError(
        f"The snapshot {store.snapshot} is damaged: {str(error).splitlines()[0]!r}. Run `pegbox store rebuild` to make "
        "it again from the journals."
    )
