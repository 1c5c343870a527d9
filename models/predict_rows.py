"""Predictions for the rows of a source, a piece at a time, into a file that appears when it is whole."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from pegbox.datasets.column_types import Kind, kind_of
from pegbox.datasets.new_rows import Remarks
from pegbox.datasets.row_batches import row_batches
from pegbox.models.study_model import Answers, StudyModel
from pegbox.schemas.errors import DataError, ModelError, suggest
from pegbox.training.atomic_files import write_in_one_step

PREDICTION = "prediction"
SUFFIXES = (".parquet", ".csv")


class Rows(NamedTuple):
    """What is to be answered, and how.

    Attributes:
        source: As `data.source` of a study, or `-` for a pipe.
        keep: Columns of the source that stand beside the predictions.
        encoding: Of a CSV file that is not written in UTF-8.
    """

    source: str
    keep: Sequence[str] = ()
    encoding: str | None = None


class Predicted(NamedTuple):
    """What came of it."""

    n_rows: int
    remarks: tuple[str, ...]


class _Writer(Protocol):
    def write_table(self, table: pa.Table) -> None: ...
    def close(self) -> None: ...


def predict_to_file(model: StudyModel, rows: Rows, path: Path, told: Callable[[int], object]) -> Predicted:
    """Write a Parquet or CSV file, by its name, in one step.

    Args:
        told: Called with the number of rows so far.

    Raises:
        ModelError: The name says neither, or the file cannot be written.
        DataError: A column is missing, or holds something else than in training.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ModelError(f"Predictions are written as {' or '.join(SUFFIXES)}, got {str(path)!r}. Name it so.")
    found: list[Predicted] = []

    def write(unfinished: Path) -> None:
        with unfinished.open("wb") as file:
            found.append(_write(model, rows, file, is_csv=path.suffix.lower() == ".csv", told=told))

    try:
        write_in_one_step(path, write)
    except OSError as error:
        raise ModelError(f"{str(path)!r} cannot be written: {(error.strerror or str(error)).lower()}.") from error
    return found[0]


def predict_to_stream(model: StudyModel, rows: Rows, stream: IO[bytes]) -> Predicted:
    """Write CSV, piece by piece; raises what `predict_to_file` does."""
    return _write(model, rows, stream, is_csv=True, told=lambda _: None)


def _write(model: StudyModel, rows: Rows, file: IO[bytes], *, is_csv: bool, told: Callable[[int], object]) -> Predicted:
    remarks, n_rows = Remarks(), 0
    with _open_writer(file, is_csv) as write:
        for table in row_batches(rows.source, rows.encoding, model.preprocessing):
            write(_beside(table, _kept(table, rows.keep, model), model.answers(table, n_rows, remarks), model))
            n_rows += table.num_rows
            told(n_rows)
    for name in rows.keep:
        remarks.unknown.pop(name, None)  # it is wanted for the reader, not for the model
    return Predicted(n_rows, remarks.sentences())


@contextmanager
def _open_writer(file: IO[bytes], is_csv: bool) -> Iterator[Callable[[pa.Table], None]]:
    """Opened with the first piece, whose types the others have too."""
    opened: list[_Writer] = []

    def write(table: pa.Table) -> None:
        if not opened:
            opened.append(pa_csv.CSVWriter(file, table.schema) if is_csv else pq.ParquetWriter(file, table.schema))
        opened[0].write_table(table)

    try:
        yield write
    finally:
        for writer in opened:
            writer.close()


def _kept(table: pa.Table, keep: Sequence[str], model: StudyModel) -> Sequence[str]:
    """Columns of the rows that stand beside their predictions; of pictures their paths, which no order tells."""
    example = model.preprocessing.example
    if example is None or example.mode is None or kind_of(table[example.column].type) is not Kind.TEXT:
        return keep
    return tuple(dict.fromkeys((example.column, *keep)))


def _beside(table: pa.Table, keep: Sequence[str], answers: Answers, model: StudyModel) -> pa.Table:
    columns: dict[str, Any] = {}
    for name in keep:
        if name not in table.column_names:
            raise DataError(f"rows: there is no column {name!r} to keep. {suggest(name, table.column_names)}")
        columns[name] = table[name]
    columns[PREDICTION] = pa.array(answers.labels)
    if answers.probabilities is not None:
        for place, name in enumerate(model.preprocessing.classes):
            columns[f"probability_{name}"] = pa.array(answers.probabilities[:, place])
    return pa.table(columns)
