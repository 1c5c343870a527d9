"""Folds a batch of journal lines into the tables, by the SQL files beside it; opens no file of a store."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import duckdb

from pegbox.storage.journal_lines import JournalLine

_DIRECTORY = Path(__file__).parent / "projection"


class BatchLine(NamedTuple):
    """A whole line and where it stands."""

    journal: str
    byte_offset: int
    line: JournalLine


def project(connection: duckdb.DuckDBPyConnection, lines: Sequence[BatchLine]) -> None:
    """Add the events of the lines to all tables; lines that were added before change nothing.

    The caller holds the transaction.

    Raises:
        duckdb.Error: A line cannot be read as JSON, or the database fails.
    """
    _load(connection, lines)
    for sql in _steps():
        parameters = {"head": _event_columns()} if "$head" in sql else None
        connection.execute(sql, parameters)


def _load(connection: duckdb.DuckDBPyConnection, lines: Sequence[BatchLine]) -> None:
    import pyarrow as pa

    table = pa.table(
        {
            "journal": pa.array([line.journal for line in lines], pa.string()),
            "byte_offset": pa.array([line.byte_offset for line in lines], pa.int64()),
            "seq": pa.array([line.line.seq for line in lines], pa.int64()),
            "written_at": pa.array([line.line.at for line in lines], pa.float64()),
            "version": pa.array([line.line.version for line in lines], pa.int64()),
            "body": pa.array([line.line.body for line in lines], pa.large_string()),
        }
    )
    connection.register("incoming_arrow", table)
    connection.execute("CREATE OR REPLACE TEMP TABLE incoming AS FROM incoming_arrow")
    connection.unregister("incoming_arrow")


@cache
def _steps() -> tuple[str, ...]:
    """Single statements, because a parameter is bound to one."""
    import re

    found: list[str] = []
    for path in sorted(_DIRECTORY.glob("*.sql")):
        found += [part for part in re.split(r";\s*\n", path.read_text(encoding="utf-8")) if part.strip()]
    return tuple(found)


@cache
def _event_columns() -> str:
    return (_DIRECTORY / "head.json").read_text(encoding="utf-8")
