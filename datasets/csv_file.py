"""The rows of a CSV file, read by Arrow: texts become numbers, truth values and ISO dates where all of a column are."""

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
            read_options=csv.ReadOptions(encoding=header.encoding, block_size=_BLOCK_BYTES),
            # A quoted field may hold line ends. It slows the threads of Arrow, and reads files that would else be
            # torn.
            parse_options=csv.ParseOptions(delimiter=header.delimiter, newlines_in_values=True),
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
        why = ragged_line(path, header) or f"{' '.join(str(error).split())[:300]}."
        raise DataError(
            f"data.source: {str(path)!r} cannot be read: {why} Write it as text with one header line and the same "
            "number of fields in each."
        ) from error
    # Names by our own reading of the header, which strips the spaces around them that Arrow keeps.
    return table.rename_columns(list(header.names))


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
