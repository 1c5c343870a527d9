"""Publishes studies into a database that others read: PostgreSQL, a DuckLake, or a DuckDB file.

Three tables in the schema `pegbox`: `studies`, `trials`, `metrics`. A study's rows are replaced in one transaction, so
a line in a crontab keeps them fresh. Each row says from which store it came, for two may have a study of one name.
"""

import socket
from pathlib import Path
from typing import Any

import duckdb

from pegbox.schemas.errors import StoreError, StudyError, suggest
from pegbox.storage.history_file import open_history
from pegbox.storage.layout import StoreLayout
from pegbox.storage.master import READERS_FROM, quoted
from pegbox.storage.reading import connect_snapshot
from pegbox.storage.sharing.address import mirror_of

Written = dict[str, int]
"""Table to how many rows were written."""
_SOURCES = {
    "studies": "study_summary",
    "trials": "(SELECT * REPLACE (params::JSON AS params) FROM trials)",
    "metrics": "metrics",
}
_JSON = {"trials": ("values", "metrics", "params")}
"""Columns that are lists, maps or variants, which PostgreSQL takes as JSON."""


def export_to_database(root: Path, to: str, study: str | None = None) -> Written:
    """Publish a study, or all of a store.

    Args:
        root: The store's directory.
        to: `postgres:` and what libpq takes, or a `postgres://` URL; `ducklake:` and its catalogue; `duckdb:` and its
            file.
        study: Its name; all studies where it is left out.

    Raises:
        NotFoundError: The store holds no such study.
        StudyError: There is no such kind of database.
        StoreError: What it needs is not installed, or it cannot be written; the message says why and what to do.
    """
    kind, separator, place = to.partition(":")
    writer = _WRITERS.get(kind)
    if writer is None or not separator or not place:
        raise StudyError(
            f"expected a database such as postgres://HOST/NAME, ducklake:catalogue.ducklake or duckdb:team.duckdb, got "
            f"{to!r}. {suggest(kind, _WRITERS)}",
            "pegbox export --to",
        )
    with open_history(root) as history:  # brings the snapshot up to date, and knows the names
        if study is not None:
            history.sql_name_of(study)
    store = StoreLayout(Path(root).absolute())
    with connect_snapshot(store) as connection:
        return writer(connection, to, Selected(store, study))


class Selected:
    """Which rows are published, as SQL over the snapshot."""

    def __init__(self, store: StoreLayout, study: str | None) -> None:
        mirror = mirror_of(store)
        self.source = f"{socket.gethostname()}:{store.root}" if mirror is None else mirror.url
        self._only = "" if study is None else f" WHERE study = {quoted(study)}"

    @property
    def tables(self) -> dict[str, str]:
        """Table to the query of its rows, with where they came from in front."""
        source = f"{quoted(self.source)} AS source"
        return {name: f"SELECT {source}, * FROM {rows}{self._only}" for name, rows in _SOURCES.items()}

    @property
    def studies(self) -> str:
        """The query of the names of the studies."""
        return f"SELECT study FROM study_summary{self._only}"


def _to_duckdb(connection: duckdb.DuckDBPyConnection, to: str, selected: Selected) -> Written:
    """By DuckDB's own catalogues: what is attached is written like a file."""
    kind, _, place = to.partition(":")
    # A file that DuckDB 1.5 opens too, as the published history.
    options = f" (STORAGE_VERSION {quoted(*READERS_FROM.values())})" if kind == "duckdb" else ""
    try:
        if kind != "duckdb":
            _load(connection, kind)
        connection.execute(f"ATTACH {quoted(place if kind == 'duckdb' else to)} AS target{options}")
        written = {}
        connection.execute("BEGIN")
        connection.execute("CREATE SCHEMA IF NOT EXISTS target.pegbox")
        for name, rows in selected.tables.items():
            table = f"target.pegbox.{name}"
            connection.execute(f"CREATE TABLE IF NOT EXISTS {table} AS {rows} LIMIT 0")
            connection.execute(
                f"DELETE FROM {table} WHERE source = {quoted(selected.source)} AND study IN ({selected.studies})"
            )
            written[name] = _count(connection.execute(f"INSERT INTO {table} BY NAME {rows}"))
        connection.execute("COMMIT")
    except duckdb.Error as error:
        raise _unwritable(to, error) from error
    return written


def _count(done: duckdb.DuckDBPyConnection) -> int:
    ((n_rows,),) = done.fetchall()
    return int(n_rows)


def _load(connection: duckdb.DuckDBPyConnection, extension: str) -> None:
    """Load an extension that is installed; none is downloaded behind a user's back."""
    try:
        connection.execute(f"LOAD {extension}")
    except duckdb.Error as error:
        version = duckdb.__version__
        raise StoreError(
            f"Publishing to a {extension} needs DuckDB's extension {extension!r} for DuckDB {version}, which is not "
            f"installed here. Where the network allows: python -c \"import duckdb; duckdb.sql('INSTALL {extension}')\"."
            f" Elsewhere put {extension}.duckdb_extension for this version and platform into "
            f"~/.duckdb/extensions/v{version}/. Or publish with --parquet, or to duckdb:FILE."
        ) from error


def _to_postgres(connection: duckdb.DuckDBPyConnection, to: str, selected: Selected) -> Written:
    """By Arrow tables and the driver's bulk copy, which needs no extension of DuckDB's."""
    try:
        import adbc_driver_postgresql.dbapi as postgres
    except ImportError as error:
        raise StoreError(
            "Publishing to PostgreSQL needs its ADBC driver, which is not installed. Run "
            '`pip install "pegbox[postgres]"`.'
        ) from error
    place = to if "://" in to else to.partition(":")[2]
    try:
        with postgres.connect(place) as target, target.cursor() as cursor:
            cursor.execute("CREATE SCHEMA IF NOT EXISTS pegbox")
            written = {}
            for name, rows in selected.tables.items():
                columns = ", ".join(f'"{one}"::JSON::VARCHAR AS "{one}"' for one in _JSON.get(name, ()))
                plain = f"SELECT * REPLACE ({columns}) FROM ({rows})" if columns else rows
                # Beside it first: the driver copies text as text, and JSON is made of it by the server.
                written[name] = cursor.adbc_ingest(
                    f"pegbox_new_{name}", connection.sql(plain).to_arrow_reader(), mode="create", temporary=True
                )
                _replace(cursor, name, selected.source)
            target.commit()
    except postgres.Error as error:
        raise _unwritable(to, error) from error
    return written


def _replace(cursor: Any, name: str, source: str) -> None:
    """Have the rows that were copied take the place of those of the same studies; `cursor` is the driver's."""
    cursor.execute(f"SELECT * FROM pegbox_new_{name} LIMIT 0")
    names = [one[0] for one in cursor.description]
    columns = ", ".join(f'"{one}"' for one in names)
    shown = ", ".join(f'"{one}"::jsonb AS "{one}"' if one in _JSON.get(name, ()) else f'"{one}"' for one in names)
    cursor.execute(f"CREATE TABLE IF NOT EXISTS pegbox.{name} AS SELECT {shown} FROM pegbox_new_{name} WITH NO DATA")
    cursor.execute(
        f"DELETE FROM pegbox.{name} WHERE source = $1 AND study IN (SELECT study FROM pegbox_new_studies)", (source,)
    )
    cursor.execute(f"INSERT INTO pegbox.{name} ({columns}) SELECT {shown} FROM pegbox_new_{name}")


def _unwritable(to: str, error: Exception) -> StoreError:
    return StoreError(
        f"The database {to} must take the tables pegbox.studies, pegbox.trials and pegbox.metrics, but said: "
        f"{str(error).splitlines()[0]!r}. Nothing was changed in it. Where the tables were made by another version of "
        "pegbox, drop the schema pegbox there and export again with --all."
    )


_WRITERS = {"duckdb": _to_duckdb, "ducklake": _to_duckdb, "postgres": _to_postgres, "postgresql": _to_postgres}
