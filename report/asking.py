"""Asks a store's tables with named values; knows no table and no page."""

from typing import Any

from pegbox.storage.history_file import HistoryFile


def rows(file: HistoryFile, query: str, **values: Any) -> list[tuple[Any, ...]]:
    """All rows of one SELECT.

    Args:
        file: The store's history.
        query: With `$name` where a value belongs.
        values: By name; those that the query does not use are left out.
    """
    named: Any = {name: value for name, value in values.items() if f"${name}" in query}
    return list(file.sql(query, named).fetchall())


def row(file: HistoryFile, query: str, **values: Any) -> tuple[Any, ...]:
    """The first row of a SELECT that always has one."""
    return rows(file, query, **values)[0]
