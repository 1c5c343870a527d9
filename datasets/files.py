"""Rows of CSV and Parquet files and of SQL queries over them, read by DuckDB; knows nothing of what they mean."""

import csv
import gzip
import hashlib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TextIO

import duckdb
import pyarrow as pa

from pegbox.datasets.source import Loaded
from pegbox.schemas.errors import DataError

MISSING = ("", " ", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?")
"""Texts of a CSV file that mean a missing value."""

_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True, slots=True)
class FileSource:
    """A CSV file with a header line, or a Parquet file, relative to the working directory."""

    path: Path
    target: None = None

    def digest(self) -> str:
        """A hash of the file's bytes: 1.2 GB a second on one core of 2020."""
        self._check_file()
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def columns(self) -> tuple[str, ...]:
        """Names of the columns as the file writes them, repeated ones included."""
        self._check_file()
        return self._parquet_columns() if self._is_parquet else _header(self.path)[0]

    def load(self) -> Loaded:
        """Read all rows.

        Raises:
            DataError: The file does not exist, is empty, or is not what its name says.
        """
        names = self.columns()
        if self._is_parquet:
            return Loaded(self._read("SELECT * FROM read_parquet($path)", {}).rename_columns(list(names)))
        _, delimiter = _header(self.path)
        # The types are taken from all rows: a column whose first text stands in row 30,000 is a column of texts.
        sql = (
            "SELECT * FROM read_csv($path, header=true, delim=$delimiter, quote='\"', escape='\"', skip=0, comment='', "
            "nullstr=$missing, sample_size=-1)"
        )
        table = self._read(sql, {"delimiter": delimiter, "missing": list(MISSING)})
        return Loaded(table.rename_columns(list(names)))

    @property
    def _is_parquet(self) -> bool:
        return self.path.suffix.lower() == ".parquet"

    def _read(self, sql: str, parameters: dict[str, object]) -> pa.Table:
        try:
            return _connect().sql(sql, params={"path": _literal(self.path), **parameters}).to_arrow_table()
        except duckdb.Error as error:
            why = _sentence(error) if self._is_parquet else _ragged_line(self.path) or _sentence(error)
            raise DataError(f"data.source: {str(self.path)!r} cannot be read: {why} {self._advice}") from error

    def _parquet_columns(self) -> tuple[str, ...]:
        # DuckDB's own names would number repeated ones.
        schema = self._read("SELECT name, num_children FROM parquet_schema($path)", {}).to_pylist()
        return _top_level_names(schema)

    @property
    def _advice(self) -> str:
        if self._is_parquet:
            return "Write it again as Parquet, or rename it to .csv if it is one."
        return "Write it as UTF-8 text with one header line and the same number of fields in each."

    def _check_file(self) -> None:
        if not self.path.is_file():
            raise DataError(_missing_file(self.path))
        if self.path.stat().st_size == 0:
            raise DataError(f"data.source: {str(self.path)!r} is empty. Name a file that holds rows.")


@dataclass(frozen=True, slots=True)
class QuerySource:
    """One SQL query over files, run by DuckDB in the working directory."""

    sql: str
    target: None = None

    def digest(self) -> None:
        """Only the rows that the query returns can tell whether they changed."""
        return

    def columns(self) -> tuple[str, ...]:
        """Names of the columns that the query returns; plans the query and does not run it."""
        return tuple(self._plan().columns)

    def load(self) -> Loaded:
        """Run the query.

        Raises:
            DataError: It is not one query, or DuckDB refuses it.
        """
        relation = self._plan()
        try:
            return Loaded(relation.to_arrow_table().rename_columns(list(relation.columns)))
        except duckdb.Error as error:
            raise DataError(f"data.source: the query failed: {_sentence(error)}") from error

    def _plan(self) -> duckdb.DuckDBPyRelation:
        connection = _connect()
        # With more threads the order of groups and the last bits of sums would change from run to run, and with them
        # the fingerprint of the same data.
        connection.execute("SET threads = 1")
        try:
            statements = connection.extract_statements(self.sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise DataError(f"data.source: expected one SELECT query, got {self.sql!r}. Write a single query.")
            return connection.sql(self.sql)
        except duckdb.Error as error:
            raise DataError(f"data.source: the query cannot be run: {_sentence(error)} Query: {self.sql!r}.") from error


def _connect() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET enable_progress_bar = false")
    return connection


def _literal(path: Path) -> str:
    """A path that DuckDB does not take for a pattern of names."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path))


def _header(path: Path) -> tuple[tuple[str, ...], str]:
    """The column names of a CSV file, and the delimiter that divides them into most."""
    with path.open("rb") as binary:
        start = binary.read(4)
    if start in {b"PAR1", b"PK\x03\x04"}:
        what = "Parquet" if start == b"PAR1" else "Excel or zip"
        raise DataError(f"data.source: {str(path)!r} is named .csv and is a {what} file. Rename or convert it.")
    try:
        splits = [(_first_record(path, delimiter), delimiter) for delimiter in _DELIMITERS]
    except (UnicodeDecodeError, csv.Error, gzip.BadGzipFile, EOFError) as error:
        raise DataError(f"data.source: {str(path)!r} is no CSV file in UTF-8: {error}. Write it as such.") from error
    return max(splits, key=lambda split: len(split[0]))


def _first_record(path: Path, delimiter: str) -> tuple[str, ...]:
    with _open_text(path) as file:
        record = next(csv.reader(file, delimiter=delimiter), [])
    if any("\0" in name for name in record):
        raise csv.Error("it holds bytes that are no text")
    return tuple(name.strip() for name in record)


def _open_text(path: Path) -> TextIO:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _ragged_line(path: Path) -> str | None:
    """The first record with another number of fields than the header, in a sentence."""
    names, delimiter = _header(path)
    try:
        with _open_text(path) as file:
            reader = csv.reader(file, delimiter=delimiter)
            for record in reader:
                if record and len(record) != len(names):
                    return f"line {reader.line_num} has {len(record)} fields where the header has {len(names)}."
    except (UnicodeDecodeError, csv.Error):
        pass  # DuckDB's own words name the line.
    return None


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
