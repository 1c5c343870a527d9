"""The history of a store for reading, from Python: SQL and the few tables that everybody asks for."""

import contextlib
import html
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb

from pegbox.schemas.errors import NotFoundError, QueryError, StoreError, suggest
from pegbox.schemas.history import History
from pegbox.storage.freshness import is_current
from pegbox.storage.history_replay import replay
from pegbox.storage.ingest import ingest
from pegbox.storage.layout import StoreLayout
from pegbox.storage.master import identifier
from pegbox.storage.reading import connect_snapshot, damaged
from pegbox.storage.sharing.address import local_root
from pegbox.storage.sharing.synchronising import synchronise_if_reachable


class HistoryFile:
    """A store's snapshot as it was when this was opened; made by `open_history`.

    Safe to use from many threads: each query has a cursor of its own.
    """

    def __init__(self, store: StoreLayout) -> None:
        self.store = store
        self._connection = connect_snapshot(store)

    def sql(self, query: str, params: list[Any] | None = None) -> duckdb.DuckDBPyRelation:
        """Ask anything; `.df()`, `.pl()`, `.arrow()` or `.fetchall()` of the answer give it as you like.

        Args:
            query: One SELECT; the tables are listed by `SHOW TABLES`.
            params: Values for `?` in the query.

        Raises:
            QueryError: The query is not valid.
            StoreCorruptError: The snapshot is damaged.
        """
        try:
            return self._cursor().sql(query, params=params)
        except (duckdb.IOException, duckdb.FatalException, duckdb.InternalException) as error:
            raise damaged(self.store, error) from error
        except duckdb.Error as error:
            if "Corrupt database file" in str(error):  # it has no class of its own
                raise damaged(self.store, error) from error
            raise QueryError(f"The query failed: {error}") from error

    def studies(self) -> duckdb.DuckDBPyRelation:
        """One row a study: how many trials, the best value, when."""
        return self.sql("FROM study_summary")

    def trials(self, study: str) -> duckdb.DuckDBPyRelation:
        """One row a trial, with a typed column for each parameter.

        Raises:
            NotFoundError: The store holds no such study.
        """
        view = self.sql_name_of(study)
        if view is None:
            return self.sql("FROM trials WHERE study = ? ORDER BY number", [study])
        return self.sql(f"FROM {identifier(view)} ORDER BY number")

    def sql_name_of(self, study: str) -> str | None:
        """Name of the study's typed view; None where its specification is of another version.

        Raises:
            NotFoundError: The store holds no such study.
        """
        found = self.sql("SELECT view_name FROM studies WHERE study = ?", [self._known(study)]).fetchall()[0][0]
        return found or None

    def best(self, study: str) -> dict[str, Any] | None:
        """The answer: the winner on fresh seeds, or the best as the search saw it as long as there is none.

        Returns:
            `number`; `value` of the first objective (what to expect on fresh seeds where it was chosen by them, as
            `is_selected` says); `search_value`, which the search saw; `params`, `metrics` and more of the trial. None
            where no trial competes.

        Raises:
            NotFoundError: The store holds no such study.
        """
        found = self.sql(
            "SELECT t.number, l.best_value AS value, l.is_selected, t.value AS search_value, t.params, t.metrics, "
            "t.budget, t.seconds, t.seed "
            "FROM leaders AS l JOIN trials AS t ON t.study = l.study AND t.number = l.best WHERE l.study = ?",
            [self._known(study)],
        )
        rows = found.fetchall()
        return dict(zip(found.columns, rows[0], strict=True)) if rows else None

    def history(self, study: str) -> History:
        """The study as a strategy sees it.

        Raises:
            NotFoundError: The store holds no such study.
            StoreCorruptError: Its events are not whole.
        """
        rows = self.sql(
            "SELECT version, body FROM events WHERE study = ? AND version IS NOT NULL ORDER BY version",
            [self._known(study)],
        ).fetchall()
        history = replay(study, rows)
        if history is None:
            raise NotFoundError(f"The study {study!r} was never opened. Run it first.")
        return history

    def tables(self) -> duckdb.DuckDBPyRelation:
        """Names and comments of all tables and views."""
        return self.sql(
            "SELECT table_name AS name, comment FROM duckdb_tables() WHERE database_name = 'store' UNION ALL "
            "SELECT view_name, comment FROM duckdb_views() WHERE database_name = 'store' AND NOT internal ORDER BY 1"
        )

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        n_studies, n_trials = self.sql(
            "SELECT (SELECT count(*) FROM studies), (SELECT count(*) FROM trials)"
        ).fetchall()[0]
        return f"<history of {n_studies} studies, {n_trials} trials in {self.store.root}>"

    def _repr_html_(self) -> str:
        studies = self.studies()
        head = "".join(f"<th>{html.escape(name)}</th>" for name in studies.columns)
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_shown(value))}</td>" for value in row) + "</tr>"
            for row in studies.limit(50).fetchall()
        )
        return f"<table><caption>{html.escape(repr(self))}</caption><tr>{head}</tr>{rows}</table>"

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        # A cursor for each query: threads that shared one connection got wrong rows in 69 of 240 calls (DuckDB 2.0). A
        # cursor does not inherit the current database, hence USE.
        cursor = self._connection.cursor()
        cursor.execute("USE store")
        return cursor

    def _known(self, study: str) -> str:
        names = [row[0] for row in self.sql("SELECT study FROM studies").fetchall()]
        if study not in names:
            raise NotFoundError(f"The history holds no study {study!r}. {suggest(study, names)}")
        return study


def open_history(root: Path | str) -> HistoryFile:
    """Open the history of a store, a directory or a URL, for reading, brought up to date where that is possible.

    A store that cannot be written, or that another process ingests at this moment, is read as it was last published.

    Raises:
        NotFoundError: There is no history in the directory.
        StoreCorruptError: The snapshot is damaged.
    """
    store = StoreLayout(local_root(root).absolute())
    refresh(store)
    return HistoryFile(store)


def refresh(store: StoreLayout) -> None:
    """Bring the snapshot up to date, where that is possible and something is missing."""
    synchronise_if_reachable(store, recent_is_enough=True)
    if store.journal.is_dir() and not is_current(store):
        # A full disk or a read-only folder must not keep anybody from reading what was published before.
        with contextlib.suppress(StoreError):
            ingest(store, wait=not store.snapshot.exists())


def _shown(value: object) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
