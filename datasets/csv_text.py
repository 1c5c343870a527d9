"""What the text of a CSV file says of itself: encoding, delimiter and header; the rows are Arrow's to read."""

import codecs
import csv
import gzip
import io
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple, TextIO

from pegbox.schemas.errors import DataError

# The order decides where two fit equally well: the standard's, then that of countries with decimal commas.
_DELIMITERS = (",", ";", "\t", "|")
# By their first bytes, because the parser of text would complain of an encoding, which sends people the wrong way.
_OTHER_FORMATS = {b"PAR1": "a Parquet file", b"PK\x03\x04": "an Excel or zip file"}
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
N_PROBED = 20
"""Records that are looked at to find the delimiter; picked by hand: a header alone may hold any of them in a name."""


class Header(NamedTuple):
    """The first record of a CSV file."""

    names: tuple[str, ...]
    """As they are written, repeated ones included."""
    delimiter: str
    """The one that divides most records into as many fields as the header, and the header into most names."""
    encoding: str


def read_header(path: Path, encoding: str | None = None) -> Header:
    """The column names, without reading much further.

    Args:
        encoding: As the study names it; found by its byte order mark where None, else UTF-8.

    Raises:
        DataError: The file is no text in its encoding, or begins without names.
    """
    with _open_bytes(path) as binary:
        other = _OTHER_FORMATS.get(binary.read(4))
    if other is not None:
        raise DataError(f"data.source: {str(path)!r} is named .csv and is {other}. Rename or convert it.")
    try:
        known = encoding_of(path, encoding)
        header = max(
            _readings(path, known),
            # More than one name first: a wrong delimiter leaves every record whole, as one field, which fits the
            # header perfectly.
            key=lambda found: (len(found[0].names) > 1, found[1], len(found[0].names)),
        )[0]
    except (UnicodeError, csv.Error, gzip.BadGzipFile, EOFError) as error:
        raise DataError(unreadable(path, encoding, error)) from error
    if header.names[0].startswith("#"):
        raise DataError(
            f"data.source: {str(path)!r} must begin with column names, got the comment {header.names[0]!r}. Delete "
            "that line."
        )
    return header


def encoding_of(path: Path, encoding: str | None) -> str:
    """The name of the codec: as it is given, else by the byte order mark that the file begins with, else UTF-8."""
    if encoding is not None:
        # A byte order mark would become part of the first name, and the column would not be found.
        return "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
    with _open_bytes(path) as file:
        start = file.read(4)
    return next((name for mark, name in _BYTE_ORDER_MARKS.items() if start.startswith(mark)), "utf-8")


def unreadable(path: Path, encoding: str | None, error: Exception) -> str:
    """Why a text cannot be read in its encoding, and in which it may be."""
    if not isinstance(error, UnicodeError) or _is_binary(path):
        return f"data.source: {str(path)!r} is no CSV file in {encoding or 'UTF-8'}: {error}. Write it as such."
    return (
        f"data.source: {str(path)!r} is no CSV file in {encoding or 'UTF-8'}: {error}. Name its encoding, such as "
        "`encoding: cp1252` (Windows) or `encoding: latin-1`, below data, or `--encoding cp1252` of a command; or "
        "write it in UTF-8."
    )


def ragged_line(path: Path, header: Header) -> str | None:
    """A sentence about the first record with another number of fields than the header; None where all have as many."""
    try:
        with _open_text(path, header.encoding) as file:
            reader = csv.reader(file, delimiter=header.delimiter)
            for record in reader:
                if record and len(record) != len(header.names):
                    return f"line {reader.line_num} has {len(record)} fields where the header has {len(header.names)}."
    except (UnicodeError, csv.Error):
        return None
    return None


def _readings(path: Path, encoding: str) -> list[tuple[Header, float]]:
    """The header under each delimiter under which it can be read."""
    readings, errors = [], []
    for delimiter in _DELIMITERS:
        try:
            readings.append(_divided(path, encoding, delimiter))
        # A wrong delimiter leaves a line of very many columns whole, which is longer than a field may be.
        except csv.Error as error:
            errors.append(error)
    if not readings:
        raise errors[0]
    return readings


def _divided(path: Path, encoding: str, delimiter: str) -> tuple[Header, float]:
    """The header under a delimiter, and the share of the next records that have as many fields."""
    with _open_text(path, encoding) as file:
        reader = csv.reader(file, delimiter=delimiter)
        names = tuple(name.strip() for name in next(reader, []))
        records = [record for record in islice(reader, N_PROBED) if record]
    if not any(names):
        raise csv.Error("it begins with a blank line instead of column names")
    if any("\0" in name for name in names):
        raise csv.Error("it holds bytes that are no text")
    fitting = sum(len(record) == len(names) for record in records) / len(records) if records else 1.0
    return Header(names, delimiter, encoding), fitting


def _is_binary(path: Path) -> bool:
    with _open_bytes(path) as file:
        # No text in UTF-8 or a one-byte encoding holds a zero byte; 4096 is a page, picked by hand.
        return b"\0" in file.read(4096)


def _open_bytes(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")  # type: ignore[return-value]


def _open_text(path: Path, encoding: str) -> TextIO:
    # newline="" leaves the ends of lines to the csv module, which knows those within quotes.
    return io.TextIOWrapper(_open_bytes(path), encoding=encoding, newline="")
