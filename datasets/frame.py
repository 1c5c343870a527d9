"""Rows whose columns have their types: numbers, codes and a target; nothing is filled in or scaled yet."""

import hashlib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pegbox.datasets.categories import check_categories
from pegbox.datasets.column_types import (
    Codes,
    Floats,
    Kind,
    as_codes,
    as_numbers,
    column_problems,
    feature_names,
    kind_of,
    target_name,
)
from pegbox.datasets.source import Loaded
from pegbox.datasets.target import Rows, Target, check_finite, read_target
from pegbox.schemas.data import DataSpec, Task
from pegbox.schemas.errors import DataError


@dataclass(frozen=True, slots=True)
class Frame:
    """The rows that have a target.

    Attributes:
        target: What is predicted, and which rows of the source are here.
        numeric_names: Of the columns of numbers, booleans (0 and 1) and dates (days).
        numeric: Shape (n_rows, n_numeric), NaN where a value is missing.
        categorical_names: Of the columns of categories.
        codes: Shape (n_rows, n_categorical), 0 where a value is missing.
        cardinalities: Number of codes of each column of categories, 0 included.
        groups: Codes of the column that keeps rows together, shape (n_rows,).
        times: Of the column that rows are sorted by, shape (n_rows,), in days or in its own units.
        shape: Of one example where the columns of numbers are an image or a sequence.
        n_dropped: Rows left out because their target is missing.
    """

    target: Target
    numeric_names: tuple[str, ...]
    numeric: Floats
    categorical_names: tuple[str, ...]
    codes: Codes
    cardinalities: tuple[int, ...]
    groups: Codes | None
    times: Floats | None
    shape: tuple[int, ...] | None
    n_dropped: int

    def __len__(self) -> int:
        return len(self.target.values)

    def digest(self) -> str:
        """A hash of everything that shapes the arrays, the same however the source laid it out in memory."""
        names = (self.target.task, self.target.classes, self.numeric_names, self.categorical_names, self.cardinalities)
        hashed = hashlib.sha256(repr((names, self.shape, self.n_dropped)).encode())
        for array in (self.target.values, self.numeric, self.codes, self.groups, self.times):
            hashed.update(b"-" if array is None else np.ascontiguousarray(array).data)
        return hashed.hexdigest()


def build_frame(spec: DataSpec, task: Task | None, loaded: Loaded) -> Frame:
    """Give every column its type.

    Raises:
        DataError: A column does not exist, or cannot be used as the study declares.
    """
    table = loaded.table
    names = tuple(table.column_names)
    problems = column_problems(spec, names, loaded.target)
    if problems:
        raise DataError("\n".join(f"{'.'.join(map(str, each.path))}: {each.message}" for each in problems))
    if table.num_rows == 0:
        raise DataError(f"data.source: {spec.source!r} has columns and no rows. Name a source that holds rows.")
    label = target_name(spec, loaded.target)
    assert label is not None, "column_problems tells a target that is not named"
    target = read_target(label, table[label], task or loaded.task)
    features = feature_names(spec, names, label)
    kept = table if len(target.rows) == table.num_rows else table.take(pa.array(target.rows))
    numeric_names, numeric = _numeric(spec, features, kept, target.rows)
    categorical_names, codes, cardinalities = _categorical(spec, features, kept)
    return Frame(
        target=target,
        numeric_names=numeric_names,
        numeric=numeric,
        categorical_names=categorical_names,
        codes=codes,
        cardinalities=cardinalities,
        groups=_groups(spec.split.group, kept, target.rows),
        times=_times(spec.split.time, kept, target.rows),
        shape=loaded.shape if _is_whole_example(numeric_names, numeric, names, label) else None,
        n_dropped=table.num_rows - len(target.rows),
    )


def _is_whole_example(numeric_names: tuple[str, ...], numeric: Floats, names: tuple[str, ...], label: str) -> bool:
    """True where no column of an image is left out, moved or followed by an indicator."""
    return numeric_names == tuple(name for name in names if name != label) and not np.isnan(numeric).any()


def _numeric(spec: DataSpec, features: tuple[str, ...], table: pa.Table, rows: Rows) -> tuple[tuple[str, ...], Floats]:
    names = tuple(name for name in features if not _is_categorical(spec, name, table[name]))
    numbers = np.empty((table.num_rows, len(names)))
    for i, name in enumerate(names):
        numbers[:, i] = as_numbers(table[name])
        if np.isnan(numbers[:, i]).all():
            raise DataError(f"data.source: the column {name!r} holds {Kind.EMPTY}. Add it to data.drop.")
        check_finite(name, numbers[:, i], rows, "data.source")
    return names, numbers


def _categorical(
    spec: DataSpec, features: tuple[str, ...], table: pa.Table
) -> tuple[tuple[str, ...], Codes, tuple[int, ...]]:
    names = tuple(name for name in features if _is_categorical(spec, name, table[name]))
    codes = np.empty((table.num_rows, len(names)), dtype=np.int64)
    cardinalities = []
    for i, name in enumerate(names):
        codes[:, i], vocabulary = as_codes(table[name])
        if not vocabulary:
            raise DataError(f"data.source: the column {name!r} holds {Kind.EMPTY}. Add it to data.drop.")
        if name not in spec.categorical:
            check_categories(name, vocabulary, int(np.count_nonzero(codes[:, i])))
        cardinalities.append(len(vocabulary) + 1)
    return names, codes, tuple(cardinalities)


def _is_categorical(spec: DataSpec, name: str, column: pa.ChunkedArray) -> bool:
    kind = kind_of(column.type)
    if kind is Kind.OTHER:
        raise DataError(
            f"data.source: the column {name!r} holds {kind} ({column.type}). Add it to data.drop, or turn it into "
            "numbers or texts in an SQL query."
        )
    return kind is Kind.TEXT or name in spec.categorical


def _groups(name: str | None, table: pa.Table, rows: Rows) -> Codes | None:
    if name is None:
        return None
    if kind_of(table[name].type) is Kind.OTHER:
        raise DataError(f"data.split.group: {name!r} holds {Kind.OTHER} ({table[name].type}). Name another column.")
    codes, _ = as_codes(table[name])
    _check_present("group", name, rows[codes == 0])
    return codes


def _times(name: str | None, table: pa.Table, rows: Rows) -> Floats | None:
    if name is None:
        return None
    kind = kind_of(table[name].type)
    if kind not in {Kind.NUMBER, Kind.DATE}:
        raise DataError(
            f"data.split.time: {name!r} must hold dates, times or numbers, got {kind}. "
            "Turn it into a date in an SQL query, such as strptime(day, '%d.%m.%Y') AS day."
        )
    times = as_numbers(table[name])
    _check_present("time", name, rows[np.isnan(times)])
    return times


def _check_present(role: str, name: str, missing: Rows) -> None:
    if len(missing):
        raise DataError(
            f"data.split.{role}: {name!r} is missing in {len(missing)} rows, the first is row {missing[0] + 1}. "
            "Fill it in, or leave these rows out with an SQL query."
        )
