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

from pegbox.datasets.csv_file import stream_csv
from pegbox.datasets.source_kinds import source_of
from pegbox.schemas.data import DataSpec
from pegbox.schemas.errors import DataError

PIPE = "-"
"""Stands for what is piped in: a CSV or Parquet file."""

# Picked by hand: as many as a model answers at once.
BATCH_ROWS = 65_536
"""Rows of a piece; memory holds no more, whatever the length of the source."""

_PARQUET_MAGIC = b"PAR1"


def row_batches(source: str, encoding: str | None, missing: tuple[str | int | float, ...]) -> Iterator[pa.Table]:
    """The rows of a source, in its order; columns of a CSV file are texts.

    A source without rows gives one piece with its columns.

    Args:
        source: As `data.source` of a study, or `-` for what is piped in.
        encoding: Of a CSV file.
        missing: Further texts of a CSV file that stand for a missing value.

    Raises:
        DataError: It cannot be read.
    """
    try:
        if source == PIPE:
            with _spooled(sys.stdin.buffer) as path:
                yield from _of_file(path, encoding, missing)
        else:
            yield from _of_source(source, encoding, missing)
    except DataError as error:
        # The sources speak of the study's entry; here there is no study file.
        raise DataError([one._replace(path=("rows",)) for one in error.problems]) from error


def _of_source(source: str, encoding: str | None, missing: tuple[str | int | float, ...]) -> Iterator[pa.Table]:
    from pegbox.datasets.table_files import FileSource, QuerySource  # here: DuckDB loads with it

    match source_of(DataSpec(source=source, encoding=encoding)):
        case FileSource() as file:
            file.check_file()
            yield from _of_file(file.path, encoding, missing)
        case QuerySource() as query:
            yield from query.batches(BATCH_ROWS)
        case other:
            table = other.load().table
            for start in range(0, max(table.num_rows, 1), BATCH_ROWS):
                yield table.slice(start, BATCH_ROWS)


def _of_file(path: Path, encoding: str | None, missing: tuple[str | int | float, ...]) -> Iterator[pa.Table]:
    with path.open("rb") as file:
        is_parquet = file.read(4) == _PARQUET_MAGIC
    if not is_parquet:
        for table in stream_csv(path, encoding, missing):
            for start in range(0, max(table.num_rows, 1), BATCH_ROWS):
                yield table.slice(start, BATCH_ROWS)
        return
    try:
        with pq.ParquetFile(path) as parquet:
            batches = parquet.iter_batches(BATCH_ROWS)
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
