"""Runs a query with named values and gives each of its rows as a schema; knows no table."""

from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Json

from pegbox.schemas.base import Configuration, Metrics, Schema
from pegbox.storage.history_file import HistoryFile

Row = TypeVar("Row", bound=Schema)


def _measured(metrics: dict[str, float | None] | None) -> Metrics:
    return {name: value for name, value in (metrics or {}).items() if value is not None}


MeasuredColumn = Annotated[Metrics, BeforeValidator(_measured)]
"""A map of metrics; those that were not measured, which are NULL, are left out."""

ParamsColumn = Json[Configuration]
"""`params::JSON`, by names in alphabetical order, because VARIANT keeps no other."""


def ask(file: HistoryFile, kind: type[Row], query: str, /, **values: Any) -> tuple[Row, ...]:
    """All rows.

    Args:
        file: The store's history.
        kind: Its fields are the columns.
        query: With `$name` where a value belongs.
        values: By name; those that the query does not use are left out.
    """
    names, found = _answer(file, query, values)
    return tuple(kind.model_validate(dict(zip(names, row, strict=True))) for row in found)


def ask_one(file: HistoryFile, kind: type[Row], query: str, /, **values: Any) -> Row | None:
    """The first row; None where there is none."""
    return next(iter(ask(file, kind, query, **values)), None)


def ask_column(file: HistoryFile, query: str, /, **values: Any) -> tuple[Any, ...]:
    """All values of the only column."""
    _, found = _answer(file, query, values)
    return tuple(value for (value,) in found)


def ask_value(file: HistoryFile, query: str, /, **values: Any) -> Any:
    """The only value of a query that always has one row, such as a count."""
    (value,) = ask_column(file, query, **values)
    return value


def _answer(file: HistoryFile, query: str, values: dict[str, Any]) -> tuple[list[str], list[tuple[Any, ...]]]:
    # DuckDB refuses values that the query does not name.
    named: Any = {name: value for name, value in values.items() if f"${name}" in query}
    relation = file.sql(query, named)
    return relation.columns, relation.fetchall()
