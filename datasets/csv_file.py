"""The rows of a CSV file, read by Arrow: texts become numbers, truth values and ISO dates where all of a column are."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv, types

from pegbox.datasets.csv_text import Header, ragged_line, read_header, unreadable
from pegbox.datasets.text_numbers import Mark, marks_in_use
from pegbox.schemas.data import DataSpec
from pegbox.schemas.errors import DataError

MISSING = (
    *("", " ", "?", "NA", "N/A", "n/a", "na", "NaN", "nan", "-NaN", "-nan", "null", "NULL", "Null", "None", "none"),
    *("<NA>", "#N/A", "#N/A N/A", "#NA", "NaT", "n.a.", "N.A."),
)
"""Texts of a CSV file that mean a missing value: those of pandas, DuckDB and spreadsheets."""

_BLOCK_BYTES = 1 << 24
"""Of text that is converted at a time; the longest record must fit into one."""


def read_csv(path: Path, spec: DataSpec) -> tuple[pa.Table, Mark | None]:
    """All rows, and the mark before decimals that its numbers use; None where they show none.

    A file is read a second time where its texts show decimal commas, so that `1.205` in it is not taken for a little
    more than one.

    Raises:
        DataError: The file is no text in its encoding, or a record has more or fewer fields than the header.
    """
    header = read_header(path, spec.encoding)
    missing = (*MISSING, *map(str, spec.missing))
    if spec.decimal is not None:
        return _read(path, spec, header, missing, spec.decimal), spec.decimal
    table = _read(path, spec, header, missing, ".")
    marks = marks_in_use(column for column in table.columns if types.is_string(column.type))
    if any(shows_point(column) for column in table.columns if types.is_floating(column.type)):
        marks.add(".")
    if marks == {","}:
        return _read(path, spec, header, missing, ","), ","
    return table, marks.pop() if len(marks) == 1 else None


def _read(path: Path, spec: DataSpec, header: Header, missing: tuple[str, ...], mark: Mark) -> pa.Table:
    try:
        # Arrow, not DuckDB, which guesses an order of day and month where dates leave it open, and says nothing of it.
        table = csv.read_csv(
            path,
            read_options=_read_options(header),
            parse_options=_parse_options(header),
            convert_options=csv.ConvertOptions(
                decimal_point=mark,
                null_values=missing,
                strings_can_be_null=True,
                # Without 1 and 0, which the defaults of Arrow hold: whether they are truth values beside a word is
                # decided later, where it can be told.
                true_values=["true", "True", "TRUE"],
                false_values=["false", "False", "FALSE"],
            ),
        )
    except UnicodeError as error:
        raise DataError(unreadable(path, spec.encoding, error)) from error
    except (pa.ArrowException, OSError) as error:
        raise _torn(path, header, error) from error
    # Names by our own reading of the header, which strips the spaces around them that Arrow keeps.
    return table.rename_columns(list(header.names))


def stream_csv(path: Path, encoding: str | None, missing: tuple[str | int | float, ...]) -> Iterator[pa.Table]:
    """The rows in pieces, every column as texts: what they are is known from rows that were read before.

    A type that is inferred from the first piece would not fit the others. A file without rows gives one empty piece.

    Raises:
        DataError: As `read_csv`.
    """
    header = read_header(path, encoding)
    options = {"read_options": _read_options(header), "parse_options": _parse_options(header)}
    try:
        # Opened twice: the types are told by Arrow's names of the columns, with the spaces that ours lack.
        with csv.open_csv(path, **options) as reader:
            names = reader.schema.names
        convert = csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=(*MISSING, *map(str, missing)),
            strings_can_be_null=True,
        )
        with csv.open_csv(path, **options, convert_options=convert) as reader:
            n_rows = 0
            for batch in reader:
                n_rows += batch.num_rows
                yield pa.Table.from_batches([batch]).rename_columns(list(header.names))
        if not n_rows:
            yield pa.table([pa.array([], pa.string()) for _ in header.names], list(header.names))
    except UnicodeError as error:
        raise DataError(unreadable(path, encoding, error)) from error
    except (pa.ArrowException, OSError) as error:
        raise _torn(path, header, error) from error


def _read_options(header: Header) -> csv.ReadOptions:
    return csv.ReadOptions(encoding=header.encoding, block_size=_BLOCK_BYTES)


def _parse_options(header: Header) -> csv.ParseOptions:
    # A quoted field may hold line ends. It slows the threads of Arrow, and reads files that would else be torn.
    return csv.ParseOptions(delimiter=header.delimiter, newlines_in_values=True)


def _torn(path: Path, header: Header, error: Exception) -> DataError:
    why = ragged_line(path, header) or f"{' '.join(str(error).split())[:300]}."
    return DataError(
        f"data.source: {str(path)!r} cannot be read: {why} Write it as text with one header line and the same "
        "number of fields in each."
    )


def shows_point(column: pa.ChunkedArray) -> bool:
    """True if a column read with decimal points cannot be one whose points divide thousands.

    `0.5`, `12.25` and `1234.5` cannot; `1.205` and `350.000` might be twelve hundred and a third of a million.
    """
    numbers = column.drop_null().to_numpy()
    numbers = np.abs(numbers[np.isfinite(numbers)])
    fractional = numbers[numbers != np.round(numbers)]
    # The tolerance is that of decimals written in binary: 1.205 * 1000 is 1205.0000000000002.
    thousandths = np.abs(fractional * 1000 - np.round(fractional * 1000)) < 1e-9 * np.maximum(fractional * 1000, 1)
    return bool(np.any((fractional < 1) | (fractional >= 1000) | ~thousandths))
