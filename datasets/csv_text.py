"""What the text of a CSV file says of itself: its header and its delimiter; the rows are DuckDB's to read."""

import csv
import gzip
from pathlib import Path
from typing import NamedTuple, TextIO

from pegbox.schemas.errors import DataError

_DELIMITERS = (",", ";", "\t", "|")
_OTHER_FORMATS = {b"PAR1": "a Parquet file", b"PK\x03\x04": "an Excel or zip file"}


class Header(NamedTuple):
    """The first record of a CSV file."""

    names: tuple[str, ...]
    """As they are written, repeated ones included."""
    delimiter: str
    """The one that divides the names into most."""


def read_header(path: Path) -> Header:
    """The column names, without reading any further.

    Raises:
        DataError: The file is no text in UTF-8, or begins without names.
    """
    with path.open("rb") as binary:
        other = _OTHER_FORMATS.get(binary.read(4))
    if other is not None:
        raise DataError(f"data.source: {str(path)!r} is named .csv and is {other}. Rename or convert it.")
    try:
        headers = [Header(_first_record(path, delimiter), delimiter) for delimiter in _DELIMITERS]
    except (UnicodeDecodeError, csv.Error, gzip.BadGzipFile, EOFError) as error:
        raise DataError(f"data.source: {str(path)!r} is no CSV file in UTF-8: {error}. Write it as such.") from error
    return max(headers, key=lambda header: len(header.names))


def ragged_line(path: Path) -> str | None:
    """A sentence about the first record with another number of fields than the header; None where all have as many."""
    header = read_header(path)
    try:
        with _open_text(path) as file:
            reader = csv.reader(file, delimiter=header.delimiter)
            for record in reader:
                if record and len(record) != len(header.names):
                    return f"line {reader.line_num} has {len(record)} fields where the header has {len(header.names)}."
    except (UnicodeDecodeError, csv.Error):
        return None
    return None


def _first_record(path: Path, delimiter: str) -> tuple[str, ...]:
    with _open_text(path) as file:
        record = next(csv.reader(file, delimiter=delimiter), [])
    if not record:
        raise csv.Error("it begins with a blank line instead of column names")
    if any("\0" in name for name in record):
        raise csv.Error("it holds bytes that are no text")
    return tuple(name.strip() for name in record)


def _open_text(path: Path) -> TextIO:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")
