"""The column to predict: which task it asks for, and its class codes or numbers; no features."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pegbox.datasets.column_types import Codes, Floats, Kind, as_codes, as_numbers, kind_of
from pegbox.schemas.data import Task
from pegbox.schemas.errors import DataError, Problem

Rows = npt.NDArray[np.int64]

# Picked by hand: digits have ten classes, grades and ratings a dozen; ages and counts have more.
MOST_INFERRED_CLASSES = 20
"""Whole numbers with more distinct values than this are taken for a quantity where no task is declared."""
_PARTS = ("training", "validation", "test")
"""Each of which is to hold both of two classes."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is predicted.

    Attributes:
        task: Declared, or inferred from the column.
        values: Shape (n_rows,): class codes from 0, or numbers in their own units.
        classes: Names in the order of their codes; empty for regression.
        rows: Places in the source, from 0, of the rows that have a target, shape (n_rows,).
    """

    task: Task
    values: Codes | Floats
    classes: tuple[str, ...]
    rows: Rows

    def of_rows(self, rows: Rows) -> Codes | Floats:
        """As training takes it: int64 codes or float64 numbers."""
        # Not float32: a target of 20,000,000 and a few would lose the few before anybody has centred it.
        values = self.values[rows]
        return values.astype(np.int64) if self.classes else values.astype(np.float64)


def read_target(name: str, column: pa.ChunkedArray, task: Task | None) -> Target:
    """Rows without a target are left out: nothing can be learned from them or measured on them.

    Raises:
        DataError: The column cannot serve the task, holds one value only, or a value that is infinite.
    """
    kind = kind_of(column.type)
    if kind in {Kind.DATE, Kind.OTHER}:
        raise DataError(f"data.target: {name!r} holds {kind}, expected classes or numbers. Turn it into one of them.")
    if kind is Kind.EMPTY:
        raise DataError(f"data.target: {name!r} holds {kind}. Name another column.")
    target = _classes(name, column) if kind is Kind.TEXT else _numbers(name, column, kind, task)
    if task is not None and task != target.task:
        raise DataError(
            f"data.target: regression needs numbers, and {name!r} holds {kind} such as {target.classes[0]!r}. "
            "Write `task: classification`, or name a column of numbers."
        )
    _check_variety(name, target)
    return target


def _classes(name: str, column: pa.ChunkedArray) -> Target:
    codes, classes = as_codes(column)
    rows = np.flatnonzero(codes)
    _check_not_continuous(name, len(classes), len(rows), is_text=True)
    return Target("classification", codes[rows] - 1, classes, rows)


def _numbers(name: str, column: pa.ChunkedArray, kind: Kind, task: Task | None) -> Target:
    numbers = as_numbers(column)
    rows = np.flatnonzero(~np.isnan(numbers))
    values = numbers[rows]
    if problems := finite_problems(name, values, rows, "data.target"):
        raise DataError(problems)
    distinct = np.unique(values)
    whole = bool(np.all(distinct == np.round(distinct)))
    if task == "regression" and kind is Kind.NUMBER:
        return Target("regression", values, (), rows)
    if task is None and not (whole and len(distinct) <= MOST_INFERRED_CLASSES):
        return Target("regression", values, (), rows)
    _check_not_continuous(name, len(distinct), len(rows), whole=whole)
    return Target("classification", np.searchsorted(distinct, values), _class_names(distinct, kind, whole), rows)


def _class_names(distinct: Floats, kind: Kind, whole: bool) -> tuple[str, ...]:
    if kind is Kind.BOOLEAN:
        return tuple("true" if value else "false" for value in distinct)
    return tuple(str(int(value)) if whole else str(float(value)) for value in distinct)


def finite_problems(name: str, values: Floats, rows: Rows, where: str) -> list[Problem]:
    """Whether a column holds what a float32 cannot; NaN has become a missing value by now."""
    # Features become float32 in the arrays; there a larger number would be infinite, and a loss NaN from its first
    # step.
    bad = np.flatnonzero(np.abs(values) > np.finfo(np.float32).max)
    if not len(bad):
        return []
    message = (
        f"{name!r} must hold finite numbers that fit a float32, got {values[bad[0]]} in row {rows[bad[0]] + 1} "
        f"({len(bad)} such row{'s' if len(bad) > 1 else ''}). Leave these rows out, or write them as missing."
    )
    return [Problem(message, tuple(where.split(".")))]


def _check_not_continuous(
    name: str, n_distinct: int, n_rows: int, *, whole: bool = True, is_text: bool = False
) -> None:
    few = n_distinct <= MOST_INFERRED_CLASSES
    # Half of the rows, picked by hand: where most classes have one row, none of them can be both learned and measured.
    if few or (whole and n_distinct <= n_rows / 2):
        return
    what = "as classes" if whole else "with fractions"
    raise DataError(
        f"data.target: {name!r} has {n_distinct} distinct values {what} in {n_rows} rows, which is no classification. "
        f"{'Name' if is_text else 'Write `task: regression`, or name'} a column of classes."
    )


def refuse_lone_class(label: str, target: Target) -> None:
    """Refuse one class of two that no split can show to training, choosing and testing alike.

    Of several classes the others are worth a model, and a warning tells of the one that nothing is measured of.

    Raises:
        DataError: There is such a class.
    """
    counts = np.bincount(target.values.astype(np.int64), minlength=len(target.classes)) if target.classes else ()
    if len(counts) == 2 and min(counts) < len(_PARTS):
        rarest = target.classes[int(np.argmin(counts))]
        raise DataError(
            f"data.target: the class {rarest!r} of {label!r} must have {len(_PARTS)} rows or more, one for each of "
            f"{', '.join(_PARTS)}, got {min(counts)} of {len(target.rows)}. Gather more of it."
        )


def _check_variety(name: str, target: Target) -> None:
    if len(target.values) == 0:
        raise DataError(f"data.target: {name!r} is missing in every row. Name another column.")
    first = target.values[0]
    if np.all(target.values == first):
        what = f"one class, {target.classes[int(first)]!r}," if target.classes else f"one value, {first},"
        raise DataError(f"data.target: {name!r} holds {what} in all rows: there is nothing to learn.")
