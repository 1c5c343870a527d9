"""Words that complete a query at the prompt: tables, views, macros with their parameters, and columns."""

from typing import NamedTuple

from pegbox.storage.layout import StoreLayout
from pegbox.storage.sandbox import Sandbox

_WORDS = """
SELECT table_name, 'table', '', coalesce(comment, '') FROM duckdb_tables() WHERE database_name = 'store'
UNION ALL
SELECT view_name, 'view', '', coalesce(comment, '') FROM duckdb_views() WHERE database_name = 'store' AND NOT internal
UNION ALL
SELECT function_name, 'macro', array_to_string(parameters, ', '), coalesce(comment, '')
FROM duckdb_functions() WHERE database_name = 'store' AND NOT internal
UNION ALL
SELECT DISTINCT column_name, 'column', '', '' FROM duckdb_columns() WHERE database_name = 'store' AND NOT internal
ORDER BY 2, 1
"""


class Word(NamedTuple):
    """A name that may stand in a query.

    Attributes:
        name: As it is written in SQL, with quotes where it needs them.
        kind: table, view, macro or column.
        parameters: Of a macro, separated by commas.
        comment: What it is, and for views and macros an example.
    """

    name: str
    kind: str
    parameters: str
    comment: str


def completion_words(store: StoreLayout, sandbox: Sandbox | None = None) -> tuple[Word, ...]:
    """Every name of the history.

    Args:
        store: The store.
        sandbox: One that is open on it already; another is opened for a moment where there is none.

    Raises:
        NotFoundError: There is no history.
        QueryError: The names could not be read in time.
    """
    if sandbox is None:
        with Sandbox(store) as opened:
            return completion_words(store, opened)
    return tuple(
        Word(_written(name), kind, parameters, comment) for name, kind, parameters, comment in sandbox.query(_WORDS)
    )


def _written(name: str) -> str:
    is_plain = name.isascii() and name.isidentifier()
    return name if is_plain else '"' + name.replace('"', '""') + '"'
