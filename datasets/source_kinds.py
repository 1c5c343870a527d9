"""Which kind of source a study names; the reading is done by the sources themselves."""

import re

from pegbox.datasets.function import FunctionSource
from pegbox.datasets.sklearn_sets import PREFIX, SklearnSource
from pegbox.datasets.source import Source
from pegbox.schemas.data import DataSpec
from pegbox.schemas.errors import DataError

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".parquet")

QUERY = re.compile(r"\s*(\(|(select|with|from|values|table|pivot|unpivot)[\s('])", re.IGNORECASE)
IMPORT_PATH = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


def source_of(spec: DataSpec) -> Source:
    """The source that `data.source` names; nothing is read yet.

    Raises:
        DataError: The text names no kind of source that pegbox reads.
    """
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
    if IMPORT_PATH.fullmatch(text):
        return FunctionSource(text)
    raise DataError(
        f"data.source: expected sklearn:<name>, a path that ends in {', '.join(SUFFIXES)}, an SQL query or "
        f"module:function, got {text!r}. Convert the file, read it with read_csv('data.dat') in an SQL "
        "query, or load it in a function of your own, such as my_project.data:load."
    )
