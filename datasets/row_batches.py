"""Rows that a model is asked about, in pieces: CSV and Parquet files, SQL queries, a pipe, and every other source."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from pegbox.datasets.column_types import Kind, kind_of
from pegbox.datasets.csv_file import stream_csv
from pegbox.datasets.new_examples import batch_rows
from pegbox.datasets.numpy_files import NumpyFile
from pegbox.datasets.picture_sources import IMAGE, ImageFolder
from pegbox.datasets.source_kinds import source_of
from pegbox.schemas.data import DataSpec
from pegbox.schemas.errors import DataError
from pegbox.schemas.preprocessing import Preprocessing

PIPE = "-"
"""Stands for what is piped in: a CSV or Parquet file."""

_PARQUET_MAGIC = b"PAR1"


def row_batches(source: str, encoding: str | None, how: Preprocessing) -> Iterator[pa.Table]:
    """The rows of a source, in its order; columns of a CSV file are texts.

    A source without rows gives one piece with its columns.

    Args:
        source: As `data.source` of a study, or `-` for what is piped in.
        encoding: Of a CSV file.
        how: Of the model: its texts that stand for a missing value, and the column of paths of pictures, which begin
            where the file lies that names them.

    Raises:
        DataError: It cannot be read.
    """
    try:
        if source == PIPE:
            with _spooled(sys.stdin.buffer) as path:
                yield from _of_file(path, encoding, how, Path())
        else:
            yield from _of_source(source, encoding, how)
    except DataError as error:
        # The sources speak of the study's entry; here there is no study file.
        raise DataError([one._replace(path=("rows",)) for one in error.problems]) from error


def _of_source(source: str, encoding: str | None, how: Preprocessing) -> Iterator[pa.Table]:
    from pegbox.datasets.table_files import FileSource, QuerySource  # here: DuckDB loads with it

    match source_of(DataSpec(source=source, encoding=encoding)):
        case FileSource() as file:
            file.check_file()
            yield from _of_file(file.path, encoding, how, file.path.parent)
        case QuerySource() as query:
            yield from query.batches(batch_rows(how))
        case ImageFolder() as folder:
            yield from _sliced(_named(folder.paths(), how), how)
        case NumpyFile() as file:
            yield from _sliced(file.examples(), how)
        case other:
            yield from _sliced(other.load().table, how)


def _sliced(table: pa.Table, how: Preprocessing) -> Iterator[pa.Table]:
    for start in range(0, max(table.num_rows, 1), batch_rows(how)):
        yield table.slice(start, batch_rows(how))


def _named(paths: pa.Table, how: Preprocessing) -> pa.Table:
    """The files of a folder under the name that the model knows pictures by."""
    if how.example is None or how.example.mode is None:
        raise DataError("rows: this model takes rows of columns, and got a folder. Name a CSV or Parquet file.")
    return paths.rename_columns([how.example.column if name == IMAGE else name for name in paths.column_names])


def _of_file(path: Path, encoding: str | None, how: Preprocessing, folder: Path) -> Iterator[pa.Table]:
    yield from (_beside(table, how, folder) for table in _pieces(path, encoding, how))


def _beside(table: pa.Table, how: Preprocessing, folder: Path) -> pa.Table:
    """The rows with the paths of pictures as they are seen from here."""
    column = how.example.column if how.example is not None and how.example.mode is not None else None
    if column not in table.column_names or kind_of(table[column].type) is not Kind.TEXT:
        return table
    paths = [None if name is None else str(folder / name) for name in table[column].to_pylist()]
    return table.set_column(table.column_names.index(column), column, pa.array(paths, pa.string()))


def _pieces(path: Path, encoding: str | None, how: Preprocessing) -> Iterator[pa.Table]:
    with path.open("rb") as file:
        is_parquet = file.read(4) == _PARQUET_MAGIC
    if not is_parquet:
        for table in stream_csv(path, encoding, how.missing):
            yield from _sliced(table, how)
        return
    try:
        with pq.ParquetFile(path) as parquet:
            batches = parquet.iter_batches(batch_rows(how))
            yield from (pa.Table.from_batches([batch]) for batch in batches)
            if not parquet.metadata.num_rows:
                yield parquet.schema_arrow.empty_table()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"rows: {str(path)!r} cannot be read: {' '.join(str(error).split())[:300]}.") from error


@contextmanager
def _spooled(stream: IO[bytes]) -> Iterator[Path]:
    """What is piped in as a file: its header is looked at before its rows are read."""
    with tempfile.TemporaryDirectory(prefix="pegbox-") as directory:
        path = Path(directory) / "stdin"
        with path.open("wb") as file:
            shutil.copyfileobj(stream, file)
        if not path.stat().st_size:
            raise DataError("rows: nothing was piped in. Pipe a CSV or Parquet file, or name one.")
        yield path
