"""Rows of CSV and Parquet files and of SQL queries over them, read by DuckDB; knows nothing of what they mean."""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import duckdb
import pyarrow as pa

from pegbox.datasets.csv_file import read_csv
from pegbox.datasets.csv_text import read_header
from pegbox.datasets.source import Loaded
from pegbox.schemas.data import DataSpec
from pegbox.schemas.errors import DataError


@dataclass(frozen=True, slots=True)
class FileSource:
    """A CSV file with a header line, or a Parquet file, relative to the working directory."""

    spec: DataSpec
    target: None = None

    @property
    def path(self) -> Path:
        """Where it lies."""
        return Path(self.spec.source)

    def digest(self) -> str:
        """A hash of the file's bytes."""
        self.check_file()
        with self.path.open("rb") as file:
            # The bytes, not size and time of change: a file that is copied or touched is the same data, and one that
            # is rewritten in place is not.
            return hashlib.file_digest(file, "sha256").hexdigest()

    def columns(self) -> tuple[str, ...]:
        """Names of the columns as the file writes them, repeated ones included."""
        self.check_file()
        return self._parquet_columns() if self._is_parquet else read_header(self.path, self.spec.encoding).names

    def load(self) -> Loaded:
        """Read all rows.

        Raises:
            DataError: The file does not exist, is empty, or is not what its name says.
        """
        self.check_file()
        if self._is_parquet:
            return Loaded(self._load_parquet())
        table, mark = read_csv(self.path, self.spec)
        return Loaded(table, mark=mark)

    @property
    def _is_parquet(self) -> bool:
        return self.path.suffix.lower() == ".parquet"

    def _load_parquet(self) -> pa.Table:
        # DuckDB numbers repeated names; here they are kept, to be refused.
        return self._read("SELECT * FROM read_parquet($path)").rename_columns(list(self._parquet_columns()))

    def _read(self, sql: str) -> pa.Table:
        try:
            return _connect().sql(sql, params={"path": _literal(self.path)}).to_arrow_table()
        except duckdb.Error as error:
            raise DataError(
                f"data.source: {str(self.path)!r} cannot be read: {_sentence(error)} Write it again as Parquet, or "
                "rename it to .csv if it is one."
            ) from error

    def _parquet_columns(self) -> tuple[str, ...]:
        return _top_level_names(self._read("SELECT name, num_children FROM parquet_schema($path)").to_pylist())

    def check_file(self) -> None:
        """Refuse what is no file that holds something.

        Raises:
            DataError: It is not there, may not be read, or is empty.
        """
        if not self.path.is_file():
            raise DataError(_missing_file(self.path))
        if not os.access(self.path, os.R_OK):
            raise DataError(f"data.source: {str(self.path)!r} may not be read by this user. Change its permissions.")
        if self.path.stat().st_size == 0:
            raise DataError(f"data.source: {str(self.path)!r} is empty. Name a file that holds rows.")


@dataclass(frozen=True, slots=True)
class QuerySource:
    """One SQL query over files, run by DuckDB in the working directory.

    Attributes:
        sql: The query.
        key: Where the study names it, for messages.
    """

    sql: str
    key: str = "data.source"
    target: None = None

    def digest(self) -> None:
        """Only the rows that the query returns can tell whether they changed."""
        return

    def columns(self) -> tuple[str, ...]:
        """Names of the columns that the query returns; plans the query and does not run it."""
        return tuple(self._plan().columns)

    def batches(self, n_rows: int) -> Iterator[pa.Table]:
        """Run the query, and give its rows in pieces.

        Raises:
            DataError: As `load`.
        """
        relation = self._plan()
        names = list(relation.columns)
        try:
            reader, is_empty = relation.to_arrow_reader(n_rows), True
            for batch in reader:
                yield pa.Table.from_batches([batch]).rename_columns(names)
                is_empty = False
            if is_empty:
                yield reader.schema.empty_table().rename_columns(names)
        except duckdb.Error as error:
            raise DataError(f"data.source: the query failed: {_sentence(error)}") from error

    def load(self) -> Loaded:
        """Run the query.

        Raises:
            DataError: It is not one query, would write, or DuckDB refuses it.
        """
        relation = self._plan()
        try:
            return Loaded(relation.to_arrow_table().rename_columns(list(relation.columns)))
        except duckdb.Error as error:
            raise DataError(f"{self.key}: the query failed: {_sentence(error)}") from error

    def _plan(self) -> duckdb.DuckDBPyRelation:
        connection = _connect()
        # With more threads the order of groups and the last bits of sums would change from run to run, and with them
        # the fingerprint of the same data.
        connection.execute("SET threads = 1")
        connection.execute("SET lock_configuration = true")  # a log or a profile would be written to files
        try:
            # The parser that will run it; the plan is looked at as well, because a SELECT may hold a COPY or a DELETE
            # in a WITH.
            statements = connection.extract_statements(self.sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise DataError(f"{self.key}: expected one SELECT query, got {self.sql!r}. Write a single query.")
            if writer := _writer(connection, self.sql):
                raise DataError(
                    f"{self.key}: the query must only read, but it holds a {writer}: {self.sql!r}. Leave that out."
                )
            return connection.sql(self.sql)
        except duckdb.Error as error:
            raise DataError(f"{self.key}: the query cannot be run: {_sentence(error)} Query: {self.sql!r}.") from error


_WRITERS = re.compile("COPY_TO|INSERT|UPDATE|DELETE|MERGE|EXTERNAL_RESOURCE|EXECUTE_SERIALIZED")
"""Operators of a plan that write, or run what no plan shows."""


def _writer(connection: duckdb.DuckDBPyConnection, sql: str) -> str | None:
    """The operator of a query that would write, found by planning it; None for one that only reads.

    A statement that is called SELECT may hold others: `WITH x AS (COPY ... TO 'file') FROM x` writes a file.
    """
    found = connection.execute(f"EXPLAIN (FORMAT json) {sql}").fetchall()
    plans = json.loads(found[0][1])
    while plans:
        node = plans.pop()
        if _WRITERS.search(node["name"]):
            return str(node["name"])
        plans += node.get("children", [])
    return None


def _connect() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        ":memory:",
        config={
            # Offline and private: a query that needs an extension fails at once instead of asking the network.
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
        },
    )
    # A name in FROM would else be looked up among the variables of our own functions.
    connection.execute("SET python_enable_replacements = false")
    # DuckDB prints it to stdout, where results go.
    connection.execute("SET enable_progress_bar = false")
    return connection


def _literal(path: Path) -> str:
    """A path that DuckDB does not take for a pattern of names."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path))


def _top_level_names(schema: list[dict[str, object]]) -> tuple[str, ...]:
    """Names of the columns in a depth-first listing of a Parquet schema, whose first row is the root."""
    names: list[str] = []
    below = 0
    for row in schema[1:]:
        if below == 0:
            names.append(str(row["name"]))
        else:
            below -= 1
        below += int(str(row["num_children"] or 0))
    return tuple(names)


def _missing_file(path: Path) -> str:
    if any(letter in "*?[" for letter in str(path)):
        return f"data.source: no file {str(path)!r}. Name several files in an SQL query, as FROM '{path}'."
    directory = path.parent
    if not directory.is_dir():
        return f"data.source: no file {str(path)!r}: there is no directory {str(directory.absolute())!r}. Correct it."
    names = [each.name for each in directory.iterdir() if each.is_file()]
    close = get_close_matches(path.name, names, n=3)
    hint = f"Did you mean {' or '.join(repr(str(directory / name)) for name in close)}?" if close else "Correct it."
    return f"data.source: no file {str(path)!r} below {str(Path.cwd())!r}. {hint}"


def _sentence(error: duckdb.Error) -> str:
    """DuckDB's words without its drawing of the query and its advice, which pegbox's user cannot follow."""
    text = str(error).split("\n\nLINE")[0].split("\nPossible")[0].split("\nThe search space")[0]
    return " ".join(text.split()).rstrip(".") + "."
