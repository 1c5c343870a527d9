"""Columns by name and type: which are used, and how each becomes numbers or codes; fits nothing to the rows."""

from collections import Counter
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from pegbox.datasets.text_numbers import parse_number
from pegbox.schemas.data import DataSpec
from pegbox.schemas.errors import Problem, suggest
from pegbox.schemas.word_lists import listed

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

_TEXTS = (types.is_dictionary, types.is_string, types.is_large_string, types.is_string_view)


class Kind(StrEnum):
    """What the values of a column are."""

    NUMBER = "numbers"
    BOOLEAN = "booleans"
    DATE = "dates or times"
    TEXT = "texts"
    EMPTY = "nothing but missing values"
    OTHER = "values that are neither numbers nor texts"


def kind_of(column_type: pa.DataType) -> Kind:
    """The kind of a column of this arrow type."""
    if any(is_text(column_type) for is_text in _TEXTS):
        return Kind.TEXT
    if types.is_boolean(column_type):
        return Kind.BOOLEAN
    if types.is_integer(column_type) or types.is_floating(column_type) or types.is_decimal(column_type):
        return Kind.NUMBER
    if types.is_null(column_type):
        return Kind.EMPTY
    # An interval of months is temporal too, and no number of days.
    return Kind.DATE if types.is_temporal(column_type) and not types.is_interval(column_type) else Kind.OTHER


def as_numbers(column: pa.ChunkedArray) -> Floats:
    """Numbers of a column that is no text; dates in days since 1970, times of day and durations in days.

    Returns:
        Shape (n_rows,), NaN where a value is missing.
    """
    column_type = column.type
    days = 1.0
    if types.is_date(column_type):
        # Arrow casts no date to a double: by way of whole days, and of whole microseconds below, which lose nothing.
        column = column.cast(pa.date32()).cast(pa.int32())
    elif types.is_timestamp(column_type):
        column, days = column.cast(pa.timestamp("us"), safe=False).cast(pa.int64()), 86_400e6
    elif types.is_time(column_type):
        column, days = column.cast(pa.time64("us"), safe=False).cast(pa.int64()), 86_400e6
    elif types.is_duration(column_type):
        column, days = column.cast(pa.duration("us"), safe=False).cast(pa.int64()), 86_400e6
    elif types.is_boolean(column_type):
        column = column.cast(pa.uint8())
    numbers: Floats = column.cast(pa.float64(), safe=False).to_numpy()
    return numbers / days if days != 1.0 else numbers


def falls_together(column: pa.ChunkedArray, numbers: Floats) -> bool:
    """True where whole numbers beyond 2^53 differ, and do not as doubles.

    A reader that found them too long for an integer gives doubles: there all that are left is one value.
    """
    # 2^53: beyond it doubles skip whole numbers, as identifiers of 17 and more digits show.
    if not len(numbers) or not np.nanmax(np.abs(numbers), initial=0) > 2**53:
        return False
    n_distinct = len(np.unique(numbers[~np.isnan(numbers)]))
    if types.is_integer(column.type):
        return n_distinct < len(pc.unique(column.drop_null()))
    return n_distinct == 1 and len(numbers) > 1


def as_codes(column: pa.ChunkedArray) -> tuple[Codes, tuple[str, ...]]:
    """Codes of a column as categories: 0 where missing, else 1 + the place in the sorted vocabulary.

    Returns:
        Codes of shape (n_rows,), and the vocabulary.
    """
    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    # Large: the offsets of a plain string column end at 2 GiB of text.
    encoded = column.cast(pa.large_string()).combine_chunks().dictionary_encode()
    words = encoded.dictionary.to_numpy(zero_copy_only=False).astype(object)
    # Sorted, not in the order of appearance: a level has the same code in whatever order the rows come.
    order = np.argsort(words, kind="stable")
    code_of = np.zeros(len(words) + 1, dtype=np.int64)
    code_of[order] = np.arange(1, len(words) + 1)
    # The last entry, 0, is what -1 points at.
    return code_of[pc.fill_null(encoded.indices, -1).to_numpy()], tuple(str(word) for word in words[order])


def target_name(spec: DataSpec, default: str | None) -> str | None:
    """The column to predict: what the study says, else what the source says."""
    return spec.target or default


def feature_names(spec: DataSpec, columns: tuple[str, ...], target: str) -> tuple[str, ...]:
    """The columns to predict from, in the order of the file, or in the order that the study lists them.

    Columns that rows are split by are left out unless `features` lists them, or `keep_time` the time: an identifier or
    a date tells a model about its rows what it cannot know of new ones.
    """
    if spec.features is not None:
        return tuple(name for name in spec.features if name not in spec.drop)
    unused = {target, *spec.drop, spec.split.group, None if spec.split.keep_time else spec.split.time}
    return tuple(name for name in columns if name not in unused)


def column_problems(spec: DataSpec, columns: tuple[str, ...], default_target: str | None) -> tuple[Problem, ...]:
    """What is wrong with the columns by their names alone; paths begin with `data`."""
    repeated = sorted(name for name, count in Counter(columns).items() if count > 1)
    if repeated:
        return (
            Problem(f"columns must have different names, got {repeated[0]!r} twice. Rename one.", ("data", "source")),
        )
    target = target_name(spec, default_target)
    if target is None:
        return (Problem(f"no column to predict is named. Add `target:` with one of {listed(columns, 20)}.", ("data",)),)
    # A file without a header, not one with a misspelt target: another remedy.
    if target not in columns and all(parse_number(name) for name in columns):
        what = f"must begin with a line of column names, got numbers such as {columns[0]!r}. Add that line."
        return (Problem(what, ("data", "source")),)
    unknown = tuple(
        Problem(f"there is no column {name!r}. {suggest(name, columns)}", ("data", *place))
        for place, name in _mentioned(spec, target)
        if name not in columns
    )
    return unknown or _role_problems(spec, columns, target)


def _mentioned(spec: DataSpec, target: str) -> list[tuple[tuple[str | int, ...], str]]:
    """Every column that the study names, with its place below `data`."""
    named: list[tuple[tuple[str | int, ...], str]] = [(("target",) if spec.target else (), target)]
    for field, names in (("features", spec.features or ()), ("drop", spec.drop), ("categorical", spec.categorical)):
        named += [((field, i), name) for i, name in enumerate(names)]
    named += [(("text", "columns", i), name) for i, name in enumerate(spec.texts)]
    for field, name in (("group", spec.split.group), ("time", spec.split.time)):
        if name is not None:
            named.append((("split", field), name))
    return named


def _role_problems(spec: DataSpec, columns: tuple[str, ...], target: str) -> tuple[Problem, ...]:
    """Columns that are asked to be two things at once, or no feature at all."""
    for field, names in (("features", spec.features or ()), ("drop", spec.drop), ("categorical", spec.categorical)):
        for i, column in enumerate(names):
            if column in names[:i]:
                return (Problem(f"{column!r} is listed twice. Take it out once.", ("data", field, i)),)
        if target in names:
            return (
                Problem(f"{target!r} is the target. Take it out of {field}.", ("data", field, names.index(target))),
            )
    used = feature_names(spec, columns, target)
    for i, text in enumerate(spec.texts):
        if text not in used or text in spec.categorical or text in spec.texts[:i]:
            what = f"{text!r} is free text, and cannot be the target, left out, a category or listed twice as well."
            return (Problem(f"{what} Take it out of one of them.", ("data", "text", "columns", i)),)
    for field, name in (("group", spec.split.group), ("time", spec.split.time)):
        if name == target:
            return (Problem(f"rows cannot be split by the target {target!r}.", ("data", "split", field)),)
    if not used:
        return (Problem(f"no column is left to predict {target!r} from. Columns: {listed(columns, 20)}.", ("data",)),)
    return ()
