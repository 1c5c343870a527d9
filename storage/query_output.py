"""Writes the answer of a query as CSV, JSON or Parquet, row by row; tables for the eye are the command line's."""

import csv
import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Protocol

from pegbox.storage.sandbox import QueryResult


class TextSink(Protocol):
    """What text is written to."""

    def write(self, text: str, /) -> object:
        """Take some text."""


def write_csv(result: QueryResult, stream: TextSink) -> None:
    """A header and the rows; NULL is an empty field, lists and mappings are JSON.

    Raises:
        QueryError: The query failed while it ran, or met a limit.
    """
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(result.columns)
    writer.writerows([_csv_field(value) for value in row] for row in result)


def write_json(result: QueryResult, stream: IO[str]) -> None:
    """An array of one object a row, one a line; NaN and infinities, which JSON has no word for, become null.

    Raises:
        QueryError: The query failed while it ran, or met a limit.
    """
    names = _distinct(result.columns)
    stream.write("[")
    separator = "\n"
    for row in result:
        record = dict(zip(names, map(_json_value, row), strict=True))
        stream.write(separator + json.dumps(record, ensure_ascii=False, allow_nan=False))
        separator = ",\n"
    stream.write("\n]\n")


def write_parquet(result: QueryResult, path: Path) -> int:
    """A Parquet file, compressed with zstd; the query must have been asked for as `arrow`.

    Returns:
        The number of rows.

    Raises:
        QueryError: The query failed while it ran, or met a limit; no file is left behind.
        OSError: The file cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet

    # A query may fail at its last row, over its limit of time: no file must look whole then.
    draft = path.with_name(f".{path.name}.tmp")
    try:
        with pa.ipc.open_stream(_Pieces(result.arrow_pieces())) as reader:
            schema = _writable(reader.schema)
            with pa.parquet.ParquetWriter(draft, schema, compression="zstd") as writer:
                for batch in reader:
                    writer.write_batch(batch.rename_columns(schema.names))
            for _ in result.arrow_pieces():
                pass  # to the end, where a late error shows
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return result.n_rows or 0


def _writable(schema: Any) -> Any:
    """Parquet wants each name once."""
    import pyarrow as pa

    names = _distinct(tuple(schema.names))
    return pa.schema([field.with_name(name) for field, name in zip(schema, names, strict=True)])


class _Pieces(io.RawIOBase):
    """Pieces of bytes as a file to read from."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Up to `size` bytes."""
        while size is None or size < 0 or len(self._rest) < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._rest += piece
        size = len(self._rest) if size is None or size < 0 else size
        content, self._rest = self._rest[:size], self._rest[size:]
        return content


def _csv_field(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def _json_value(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return None
        case list():
            return [_json_value(item) for item in value]
        case dict():
            return {name: _json_value(item) for name, item in value.items()}
        case _:
            return value


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    """A second column of a name gets `_2` after it."""
    seen: dict[str, int] = {}
    distinct = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        distinct.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return tuple(distinct)
