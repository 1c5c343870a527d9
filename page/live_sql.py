"""SQL that a visitor of the live page types, each query in a sandbox of its own that can be ended; speaks no HTTP."""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

from pegbox.schemas.base import Schema
from pegbox.schemas.errors import QueryError
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.layout import StoreLayout
from pegbox.storage.queries.catalog import macro_names, table_columns
from pegbox.storage.query_output import write_csv, write_parquet
from pegbox.storage.sandbox import Form, Limits, Sandbox, open_sandbox

# Limits of a console that anybody with the address may use, picked by hand: what a grid scrolls without a pause, what a
# browser downloads in one go, and as many queries as leave a training machine its cores. A longer query belongs into
# `pegbox sql`.
MOST_ROWS = 5000
MOST_CHARACTERS = 1 << 24
"""Of the rows together: a browser shows no more."""
MOST_FILE_BYTES = 1 << 29
MOST_AT_ONCE = 3
SQL_LIMITS = Limits(seconds=30.0, memory_bytes=1 << 30, threads=2)
# Whole numbers beyond are rounded by JavaScript, whose numbers are all floats of 64 bits.
_MOST_EXACT = 1 << 53


class Asked(Schema):
    """A query as the page sends it."""

    id: str
    """By which it can be cancelled."""
    sql: str


class Wanted(Asked):
    """A query whose whole result is wanted as a file."""

    form: Literal["csv", "parquet"]


class Cancelled(Schema):
    """Names the query to end."""

    id: str


class Grid(Schema):
    """The result of a query, as far as a page can show it."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[list[Any]]
    is_cut: bool
    """True if there are more rows than are shown."""
    seconds: float


class Catalog(Schema):
    """What a query may name."""

    tables: dict[str, tuple[str, ...]]
    """Table or view to its columns."""
    macros: tuple[str, ...]


class SqlConsole:
    """Runs queries on the published snapshot, a few at once."""

    def __init__(self, root: Path, limits: Limits = SQL_LIMITS) -> None:
        self._root = root.absolute()
        self._limits = limits
        self._guard = threading.Lock()
        self._places = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._running: dict[str, Sandbox] = {}
        self._ended: set[str] = set()

    def ask(self, asked: Asked) -> Grid:
        """The first rows of a result.

        Raises:
            QueryError: The query was refused, failed, met a limit or was cancelled.
        """
        began = time.monotonic()
        with self._sandbox(asked.id) as sandbox:
            result = sandbox.query(asked.sql)
            shown: list[list[Any]] = []
            n_characters = 0
            for one in result:
                n_characters += sum(len(str(value)) for value in one)
                if len(shown) == MOST_ROWS or n_characters > MOST_CHARACTERS:
                    return _grid(result.columns, result.types, shown, is_cut=True, began=began)
                shown.append([_plain(value) for value in one])
            return _grid(result.columns, result.types, shown, is_cut=False, began=began)

    def download(self, wanted: Wanted, path: Path) -> None:
        """Write the whole result to a file.

        Raises:
            QueryError: The query was refused, failed, met a limit or was cancelled, or its result is too large.
        """
        # Arrow keeps the types of columns, which Parquet has and CSV has not.
        form: Form = "rows" if wanted.form == "csv" else "arrow"
        with self._sandbox(wanted.id) as sandbox:
            result = sandbox.query(wanted.sql, form)
            if wanted.form == "parquet":
                write_parquet(result, path)
                return
            with path.open("w", encoding="utf-8", newline="") as file:
                write_csv(result, _Bounded(file))

    def cancel(self, query: str) -> bool:
        """End a query; False where none of that name runs."""
        with self._guard:
            sandbox = self._running.get(query)
            if sandbox is None:
                return False
            # Before the kill: the thread that waits for the answer sees a broken sandbox at once, and must find the
            # reason here.
            self._ended.add(query)
            sandbox.kill()
            return True

    def catalog(self) -> Catalog:
        """Tables, views, their columns, and macros."""
        with HistoryFile(StoreLayout(self._root)) as file:
            return Catalog(
                tables={one.name: one.columns for one in table_columns(file)},
                macros=macro_names(file),
            )

    @contextmanager
    def _sandbox(self, query: str) -> Iterator[Sandbox]:
        # Refused instead of queued: a visitor who waits without a word types the same query again.
        if not self._places.acquire(blocking=False):
            raise QueryError(f"{MOST_AT_ONCE} queries run already. Cancel one, or wait until it ends.")
        try:
            # A process for each query, which can be killed and takes its memory along (docs/decisions/0011).
            with open_sandbox(self._root, self._limits, fresh=False) as sandbox:
                with self._guard:
                    self._running[query] = sandbox
                yield sandbox
        except QueryError as error:
            with self._guard:
                was_ended = query in self._ended
            raise QueryError("The query was cancelled.") if was_ended else error from None
        finally:
            with self._guard:
                self._running.pop(query, None)
                self._ended.discard(query)
            self._places.release()


class _Bounded:
    """A file of text that takes only so much."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._n_characters = 0

    def write(self, text: str, /) -> None:
        """Take some text.

        Raises:
            QueryError: It is too much.
        """
        self._n_characters += len(text)
        if self._n_characters > MOST_FILE_BYTES:
            raise QueryError(
                f"The result is larger than {MOST_FILE_BYTES >> 20} MiB. Narrow the query, or write it with "
                "`pegbox sql --output` where the store is."
            )
        self._file.write(text)


def _grid(
    columns: tuple[str, ...], types: tuple[str, ...], shown: list[list[Any]], *, is_cut: bool, began: float
) -> Grid:
    return Grid(columns=columns, types=types, rows=shown, is_cut=is_cut, seconds=time.monotonic() - began)


def _plain(value: Any) -> Any:
    """A value that JSON and JavaScript hold without loss; what they cannot becomes text."""
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        # Before the whole numbers, because a bool is an int to Python.
        case bool():
            return value
        case int() if abs(value) > _MOST_EXACT:
            return str(value)
        case list():
            return [_plain(item) for item in value]
        case dict():
            return {name: _plain(item) for name, item in value.items()}
        case _:
            return value
