"""What a study's data was taken for, and what is suspicious about it; counts, fits nothing."""

from collections.abc import Iterator

import numpy as np

from pegbox.datasets.column_types import Codes, Floats
from pegbox.datasets.frame import Frame
from pegbox.datasets.leaks import find_leaks
from pegbox.datasets.split import Fold
from pegbox.datasets.target import Rows
from pegbox.schemas.data import DataSpec
from pegbox.schemas.understanding import ColumnKind, DataUnderstanding, TargetRange

# Picked by hand: what stands before a run starts should fit a screen.
MOST_CLASSES = 3
"""Rare ones that are named one by one."""
MOST_LEVELS = 5
"""Of a category that are named."""
FEW_ROWS = 5
"""Validation rows below which the measure of a class hangs on single rows; picked by hand."""


def understand(spec: DataSpec, frame: Frame, folds: tuple[Fold, ...]) -> DataUnderstanding:
    """Describe data that is ready to be written."""
    values = np.asarray(frame.target.values, dtype=np.float64)
    first = folds[0]
    parts = {"train": len(first.train), "valid": len(first.valid), "test": len(first.test)}
    return DataUnderstanding(
        n_rows={name: size for name, size in parts.items() if size},
        n_folds=len(folds),
        n_dropped=frame.n_dropped,
        target=frame.target_name,
        task=frame.target.task,
        target_told=frame.target_told,
        class_shares=_shares(frame),
        target_range=None if frame.target.classes else _range(values),
        columns=tuple(_with_levels(frame, column) for column in frame.columns),
        warnings=(*frame.warnings, *_rare_classes(spec, frame, first), *_suspicious_columns(frame, first)),
        leaks=find_leaks(frame, first.train),
    )


def _shares(frame: Frame) -> dict[str, float]:
    if not frame.target.classes:
        return {}
    counts = np.bincount(frame.target.values.astype(np.int64), minlength=len(frame.target.classes))
    shares = dict(zip(frame.target.classes, (counts / len(frame)).tolist(), strict=True))
    return dict(sorted(shares.items(), key=lambda one: -one[1]))


def _range(values: Floats) -> TargetRange:
    return TargetRange(
        min=float(values.min()), max=float(values.max()), mean=float(values.mean()), std=float(values.std())
    )


def _with_levels(frame: Frame, column: ColumnKind) -> ColumnKind:
    if column.kind != "category":
        return column
    levels = frame.levels[frame.categorical_names.index(column.name)]
    return column.model_copy(update={"n_levels": len(levels), "levels": levels[:MOST_LEVELS]})


def _rare_classes(spec: DataSpec, frame: Frame, fold: Fold) -> Iterator[str]:
    """Classes that a part holds few rows of, or none."""
    n_classes = len(frame.target.classes)
    if not n_classes:
        return
    # Of the first fold: the others hold like numbers.
    counts = {
        part: np.bincount(frame.target.values[rows].astype(np.int64), minlength=n_classes)
        for part, rows in (("training", fold.train), ("validation", fold.valid), ("test", fold.test))
        if len(rows)
    }
    rare = [
        code
        for code in range(n_classes)
        if counts["validation"][code] < FEW_ROWS or any(count[code] == 0 for count in counts.values())
    ]
    for code in rare[:MOST_CLASSES]:
        yield _rare_class(spec, frame.target.classes[code], {part: int(count[code]) for part, count in counts.items()})
    if len(rare) > MOST_CLASSES:
        yield f"{len(rare) - MOST_CLASSES} further classes are as rare."


def _rare_class(spec: DataSpec, name: str, counts: dict[str, int]) -> str:
    lacking = [part for part, count in counts.items() if count == 0]
    n_rows = sum(counts.values())
    if n_rows < len(counts):
        remedy = "Merge it with another, or leave it out."
    elif spec.split.stratify or spec.split.time:
        remedy = "What is measured of it hangs on single rows."
    else:
        remedy = "Write `split: {stratify: true}` below data, so that each part gets its share."
    where = f"none of them in the {' or '.join(lacking)} part" if lacking else "few of them in the validation part"
    return f"the class {name!r} has {n_rows} row{'s' if n_rows > 1 else ''}, {where}. {remedy}"


def _suspicious_columns(frame: Frame, fold: Fold) -> Iterator[str]:
    if frame.shape is not None:  # a pixel that is always black is part of its image
        return
    useless = useless_columns(frame, fold.train)
    yield from (f"{name!r} {why}. Add it to data.drop." for name, why in useless.items())
    for i, name in enumerate(frame.numeric_names):
        if name not in useless:
            yield from _marked_numbers(name, frame.numeric[:, i])
    for name, levels in zip(frame.categorical_names, frame.levels, strict=True):
        spelt: dict[str, list[str]] = {}
        for level in levels:
            spelt.setdefault(" ".join(level.split()).casefold(), []).append(level)
        if alike := next((group for group in spelt.values() if len(group) > 1), None):
            written = ", ".join(map(repr, alike))
            yield f"{name!r} has categories that differ in spelling only: {written}. Make them one, where they are."


def useless_columns(frame: Frame, train: Rows) -> dict[str, str]:
    """Columns that nothing can be learned from, each with a clause that says why.

    Args:
        train: Row numbers of the training part.
    """
    numbers = {
        name: _useless_numbers(frame.numeric[:, i], train)
        for i, name in enumerate(frame.numeric_names)
        # A day for each row counts the rows too; it is kept by one who knows that it says when.
        if frame.times is None or not np.array_equal(frame.numeric[:, i], frame.times)
    }
    levels = zip(frame.categorical_names, frame.codes.T, frame.levels, strict=True)
    categories = {name: _useless_codes(codes[train], vocabulary) for name, codes, vocabulary in levels}
    return {name: why for name, why in {**numbers, **categories}.items() if why}


_NO_VALUE = "has no value in the training part, so that nothing is learned from it"


def _useless_numbers(numbers: Floats, train: Rows) -> str | None:
    present = numbers[~np.isnan(numbers)]
    training = numbers[train]
    training = training[~np.isnan(training)]
    if not len(training):
        return _NO_VALUE
    if training.min() == training.max():
        where = "all rows" if present.min() == present.max() else "all training rows"
        return f"is {training[0]:g} in {where} and teaches nothing"
    # Twenty, picked by hand: fewer rows may lie in order by chance of how they were gathered, such as one a year.
    if len(present) > 20 and np.all(np.diff(numbers) == 1):
        return "counts the rows, so that it says nothing of new ones"
    return None


def _useless_codes(codes: Codes, levels: tuple[str, ...]) -> str | None:
    """Of a category; that it is missing, which is code 0, may say something too."""
    if not codes.any():
        return _NO_VALUE
    first = codes[0]
    return f"is {levels[first - 1]!r} in all training rows and teaches nothing" if np.all(codes == first) else None


def _marked_numbers(name: str, numbers: Floats) -> Iterator[str]:
    present = numbers[~np.isnan(numbers)]
    if (mark := _mark_of_missing(present)) is not None:
        count = int(np.count_nonzero(present == mark))
        yield (
            f"{name!r} is {mark:g} in {count} rows, far from all others. Write `missing: [{mark:g}]` below data where "
            "it means that there is none."
        )


def _mark_of_missing(present: Floats) -> float | None:
    """A number of nines or a minus one that stands apart and is frequent, as files mark what is missing."""
    distinct = np.unique(present)
    if len(distinct) < 3:
        return None
    # Farther from its neighbour than all the others from each other, and in more than one of 200 rows: both picked by
    # hand, so that one honest outlier of 99 is not called a gap.
    spread = distinct[-2] - distinct[1]
    for mark, gap in ((distinct[0], distinct[1] - distinct[0]), (distinct[-1], distinct[-1] - distinct[-2])):
        # Nines and not any extreme: -999 and 9999 are the habit of files from before there were nulls; a true extreme
        # of any other value is left alone.
        is_nines = abs(mark) >= 99 and set(f"{abs(mark):g}") == {"9"}
        if is_nines and gap > spread and np.count_nonzero(present == mark) > max(1, len(present) // 200):
            return float(mark)
    return None
