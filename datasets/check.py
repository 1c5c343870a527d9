"""What is wrong with a study's data as far as can be told without reading its rows."""

from pegbox.datasets.column_types import column_problems
from pegbox.datasets.function import FunctionSource
from pegbox.datasets.source import Source
from pegbox.datasets.source_kinds import source_of
from pegbox.schemas.data import DataSpec
from pegbox.schemas.errors import DataError, Problem


def check_data(spec: DataSpec) -> tuple[Problem, ...]:
    """Whether the source exists and its columns are those that the study names.

    A file's header is read, a query is planned, a function is imported and not called; scikit-learn is imported only
    where the study names other columns than the target.
    """
    try:
        source = source_of(spec)
        if isinstance(source, FunctionSource):
            source.find()
        columns = _columns(source, spec)
    except DataError as error:
        return error.problems
    return column_problems(spec, columns, source.target) if columns is not None else ()


def _columns(source: Source, spec: DataSpec) -> tuple[str, ...] | None:
    names_others = spec.features or spec.drop or spec.categorical or spec.split.group or spec.split.time
    if source.target is not None and spec.target in {None, source.target} and not names_others:
        return None
    return source.columns()
