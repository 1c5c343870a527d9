"""Which kind of source a study names; the reading is done by the sources themselves."""

import os
import re
from pathlib import Path

from pegbox.datasets.function import FunctionSource
from pegbox.datasets.numpy_files import ARRAYS, NumpyFile
from pegbox.datasets.picture_sources import ImageFolder, ImageTable
from pegbox.datasets.sklearn_sets import PREFIX, SklearnSource
from pegbox.datasets.source import Source
from pegbox.schemas.data import DataSpec
from pegbox.schemas.errors import DataError

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".parquet")

QUERY = re.compile(r"\s*(\(|(select|with|from|values|table|pivot|unpivot)[\s('])", re.IGNORECASE)
IMPORT_PATH = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


def source_of(spec: DataSpec, cache: Path | None = None) -> Source:
    """The source that `data.source` names; nothing is read yet.

    Args:
        cache: A directory for what is expensive to read, such as decoded pictures; None to keep nothing.

    Raises:
        DataError: The text names no kind of source that pegbox reads.
    """
    if is_image_folder(spec.source):
        return ImageFolder(spec, cache)
    source = _table_of(spec)
    if spec.images is None:
        return source
    if isinstance(source, SklearnSource | NumpyFile):
        raise DataError(
            f"data.images: pictures are in a folder or named by a table, and {spec.source!r} is neither. Leave it out."
        )
    return ImageTable(source, spec, cache)


def is_image_folder(text: str) -> bool:
    """True where a source is a folder, or is written as one."""
    return not QUERY.match(text) and (text.endswith(("/", os.sep)) or (Path(text).is_dir() and text not in {".", ".."}))


def is_path(text: str) -> bool:
    """True where a source is a file or a folder."""
    return is_image_folder(text) or (not QUERY.match(text) and text.lower().endswith((*SUFFIXES, *ARRAYS)))


def _table_of(spec: DataSpec) -> Source:
    text = spec.source
    # From the form that can be nothing else to the loosest: a query may hold a path, and a path with a colon in it
    # looks like an import.
    if text.startswith(PREFIX):
        return SklearnSource(text.removeprefix(PREFIX))
    # DuckDB loads in a tenth of a second, which the sets and functions above need not pay.
    if QUERY.match(text):
        from pegbox.datasets.table_files import QuerySource

        return QuerySource(text)
    if text.lower().endswith(SUFFIXES):
        from pegbox.datasets.table_files import FileSource

        return FileSource(spec)
    if text.lower().endswith(ARRAYS):
        return NumpyFile(spec)
    if IMPORT_PATH.fullmatch(text):
        return FunctionSource(text)
    raise DataError(
        f"data.source: expected sklearn:<name>, a path that ends in {', '.join((*SUFFIXES, *ARRAYS))}, a folder of "
        f"pictures such as images/, an SQL query or module:function, got {text!r}. Convert the file, read it with "
        "read_csv('data.dat') in an SQL query, or load it in a function of your own, such as my_project.data:load."
    )
