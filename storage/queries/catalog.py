"""What a store's database holds that a query may name, and how much is in it."""

from pegbox.schemas.base import Schema
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.asking import ask, ask_column, ask_one


class TableColumns(Schema):
    """A table or view with its columns, in their order."""

    name: str
    columns: tuple[str, ...]


class StoreCounts(Schema):
    """How much a store holds."""

    studies: int
    trials: int
    bad_lines: int
    """Damaged lines of journals, which were set aside."""


class BadLine(Schema):
    """A damaged line of a journal."""

    journal: str
    reason: str


def table_columns(file: HistoryFile) -> tuple[TableColumns, ...]:
    """All tables and views, by name."""
    return ask(
        file,
        TableColumns,
        "SELECT table_name AS name, list(column_name ORDER BY column_index) AS columns FROM duckdb_columns() "
        "WHERE database_name = 'store' AND NOT internal GROUP BY table_name ORDER BY table_name",
    )


def macro_names(file: HistoryFile) -> tuple[str, ...]:
    """All macros, by name."""
    return ask_column(
        file,
        "SELECT DISTINCT function_name FROM duckdb_functions() WHERE database_name = 'store' AND NOT internal "
        "ORDER BY function_name",
    )


def store_counts(file: HistoryFile) -> StoreCounts:
    """How many studies, trials and damaged lines there are."""
    (counts,) = ask(
        file,
        StoreCounts,
        "SELECT (SELECT count(*) FROM studies) AS studies, (SELECT count(*) FROM trials) AS trials, "
        "(SELECT count(*) FROM quarantine) AS bad_lines",
    )
    return counts


def first_bad_line(file: HistoryFile) -> BadLine | None:
    """One damaged line; None where there is none."""
    return ask_one(file, BadLine, "SELECT journal, reason FROM quarantine LIMIT 1")
