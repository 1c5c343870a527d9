"""Autocompletion of SQL at the prompt: tables, views, macros with their parameters, and columns."""

from typing import NamedTuple

from pegbox.storage.layout import StoreLayout
from pegbox.storage.sandbox import Sandbox

KEYWORDS = """
SELECT FROM WHERE GROUP ORDER BY LIMIT HAVING JOIN USING ON AS AND OR NOT IN IS NULL LIKE BETWEEN CASE WHEN THEN ELSE
END DISTINCT UNION ALL WITH DESC ASC QUALIFY DESCRIBE SHOW TABLES SUMMARIZE PIVOT
count avg min max sum median quantile_cont
"""
"""Of the language, and the functions that most queries need."""

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
    # The same sandbox as queries have, and no connection of its own: DuckDB takes a tenth of a second to load, and the
    # prompt must not wait for it a second time.
    if sandbox is None:
        with Sandbox(store) as opened:
            return completion_words(store, opened)
    return tuple(
        Word(written(name), kind, parameters, comment) for name, kind, parameters, comment in sandbox.query(_WORDS)
    )


def studies_to_complete(sandbox: Sandbox) -> tuple[str, ...]:
    """The names of all studies, which stand in strings, as the arguments of macros."""
    return tuple(str(name) for (name,) in sandbox.query("SELECT study FROM studies ORDER BY 1"))


def written(name: str) -> str:
    """A name as a person would write it in SQL: in quotes only where it needs them.

    >>> written("study_digits"), written("study_deep-net")
    ('study_digits', '"study_deep-net"')
    """
    is_plain = name.isascii() and name.isidentifier()
    return name if is_plain else '"' + name.replace('"', '""') + '"'
