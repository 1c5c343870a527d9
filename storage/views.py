"""Puts the views and macros, with their comments, into the master; the SQL lies in the files beside it."""

import hashlib
import re
from functools import cache
from pathlib import Path

import duckdb

from pegbox.storage.transaction import transaction

_DIRECTORY = Path(__file__).parent / "views"


@cache
def views_sql() -> tuple[str, ...]:
    """The text of every file, in order."""
    return tuple(path.read_text(encoding="utf-8") for path in sorted(_DIRECTORY.glob("*.sql")))


def refresh_views(connection: duckdb.DuckDBPyConnection) -> bool:
    """Make the views again if their text is not the one that the database was given.

    Returns:
        True if they were made.
    """
    checksum = hashlib.sha256("".join(views_sql()).encode()).hexdigest()
    known = connection.execute("SELECT checksum FROM schema_views").fetchall()
    # Making them anew takes longer than most ingests; they change with a version of pegbox only.
    if known == [(checksum,)]:
        return False
    with transaction(connection):
        for sql in views_sql():
            connection.execute(re.sub(r"^--.*$", "", sql, flags=re.MULTILINE))
        connection.execute("DELETE FROM schema_views")
        connection.execute("INSERT INTO schema_views VALUES (?)", [checksum])
    return True
