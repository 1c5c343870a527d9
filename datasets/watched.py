"""Fingerprint of what a scheduled study reads beside its declared data; looks at content, never at times of change."""

import datetime
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from pegbox.datasets.function import FunctionSource
from pegbox.datasets.source_kinds import IMPORT_PATH, QUERY
from pegbox.schemas.errors import DataError, Problem
from pegbox.schemas.named_files import file_digest, files_named
from pegbox.schemas.study import StudySpec

KEY = "schedule.watch"
_VERSIONS = (str, bytes, int, float, bool, type(None), datetime.date, datetime.time)


def watched_fingerprint(watch: tuple[str, ...]) -> str:
    """Changes with the bytes and names of files, the rows of queries, and what functions return.

    Args:
        watch: Files, folders and patterns, relative to the working directory; SQL queries; `module:function`.

    Raises:
        DataError: Something is not there, cannot be read, or is nothing that can be told apart.
    """
    hashed = hashlib.sha256()
    for source in watch:
        for part in _content(source):
            # The length first: two parts must not read like two others that are cut elsewhere.
            hashed.update(f"{len(part)}:".encode() + part)
    return hashed.hexdigest()[:32]


def check_watched(spec: StudySpec) -> tuple[Problem, ...]:
    """What is wrong with a schedule that is not told when what training reads has changed."""
    if spec.schedule is None or spec.data or spec.schedule.watch or spec.schedule.always:
        return ()
    message = (
        f"training of kind {spec.train.kind!r} brings data of its own, and a schedule cannot see whether that has "
        "changed. Name what it reads, such as `watch: [rows/*.parquet]`, or write `always: true` to tune at every run."
    )
    return (Problem(message, ("schedule", "watch")),)


def look_at_watched(spec: StudySpec) -> tuple[Problem, ...]:
    """What is wrong with what a schedule watches, found by reading it."""
    try:
        watched_fingerprint(spec.schedule.watch if spec.schedule else ())
    except DataError as error:
        return error.problems
    return ()


def _content(source: str) -> Iterator[bytes]:
    """Of one entry; short pieces, or hashes where it is long."""
    yield source.encode()
    # In the order in which `data.source` is read: from the form that can be nothing else to the loosest.
    if QUERY.match(source):
        yield _rows(source)
    elif IMPORT_PATH.fullmatch(source) and not Path(source).exists():
        yield _version(source, FunctionSource(source, KEY).call())
    else:
        for file in _files(source):
            yield str(file).encode()
            yield _file_digest(file)


def _rows(sql: str) -> bytes:
    from pegbox.datasets.table_files import QuerySource

    table = QuerySource(sql, KEY).load().table.combine_chunks().replace_schema_metadata(None)
    written = pa.BufferOutputStream()
    with pa.ipc.new_stream(written, table.schema) as stream:
        stream.write_table(table)
    return hashlib.sha256(written.getvalue()).digest()


def _version(source: str, returned: Any) -> bytes:
    """Of what a function returns: a version, a date, a count, or lists and mappings of them."""
    try:
        return json.dumps(returned, sort_keys=True, default=_as_text).encode()
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{KEY}: {source} must return a text, a number, a date, bytes, or lists and mappings of them, such as a "
            f"table's version; got {type(returned).__name__}. Return what changes with the data."
        ) from error


def _as_text(value: Any) -> str:
    # No repr of whatever comes: an object's holds its address, which is another one in each process.
    if isinstance(value, _VERSIONS):
        return repr(value)
    raise TypeError


def _files(source: str) -> Iterator[Path]:
    if "://" in source:
        raise DataError(f"{KEY}: {source!r} is a URL, which is not read. Return its version or ETag from a function.")
    try:
        yield from files_named(source)
    except ValueError as error:
        raise DataError(f"{KEY}: {error} An SQL query or module:function can be watched as well.") from error


def _file_digest(file: Path) -> bytes:
    try:
        return bytes.fromhex(file_digest(file))
    except ValueError as error:
        raise DataError(f"{KEY}: {error}") from error
