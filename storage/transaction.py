"""A transaction as a block: committed at its end, rolled back where anything goes wrong, an interrupt included."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All or nothing of what is executed inside.

    Raises:
        duckdb.Error: The commit failed, for one because the disk is full.
    """
    connection.begin()
    try:
        yield
        connection.commit()
    except BaseException:
        with suppress(duckdb.TransactionException):  # a commit that fails has ended it already
            connection.rollback()
        raise
