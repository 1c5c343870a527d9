"""Splits rows into training, validation and test parts, once or for cross-validation; row numbers only, no data."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from pegbox.datasets.column_types import Codes
from pegbox.datasets.folds import Labels, Split, group_folds, stratified_folds, time_folds
from pegbox.datasets.frame import Frame
from pegbox.datasets.target import Rows
from pegbox.schemas.data import SplitSpec
from pegbox.schemas.errors import DataError

N_QUANTILES = 10
"""A numeric target is stratified by this many quantiles, or fewer where the rows are few."""

# Picked by hand: enough to see that a training goes wrong, too few to make an epoch longer.
MOST_MEASURED = 2000
"""Rows that the training of a whole model is watched on."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Row numbers of each part, ascending; `test` is empty where no rows are held out."""

    train: Rows
    valid: Rows
    test: Rows


def split_rows(spec: SplitSpec, frame: Frame) -> tuple[Fold, ...]:
    """One fold, or as many as the study asks for; all hold out the same test rows.

    Folds by time train on all that lies before their validation rows, so the first trains on the fewest.

    Raises:
        DataError: Rows, classes, groups or times are too few to give every part its share.
    """
    split = _splitter(spec, frame)
    everything = np.arange(len(frame))
    if spec.folds is None:
        shares = [1 - spec.test - spec.valid, spec.valid, spec.test][: 3 if spec.test else 2]
        labels = split(everything, shares)
        folds = [Fold(*(np.flatnonzero(labels == part) for part in range(3)))]
    else:
        # The test rows come before the folds: the same rows are held out of all of them, and no fold may tune on
        # what judges it.
        held_out = split(everything, [1 - spec.test, spec.test]) if spec.test else np.zeros(len(frame), np.intp)
        rest, test = np.flatnonzero(held_out == 0), np.flatnonzero(held_out == 1)
        folds = _folds(spec, split, rest, test)
    for number, fold in enumerate(folds):
        _check_parts(spec, frame, fold, number)
    return tuple(folds)


def whole_fold(folds: Sequence[Fold], n_rows: int, *, with_test: bool = False) -> Fold:
    """All rows that are not held out as the training part, or all that there are.

    The validation part is a sample of them, because every trainer reports what it measures there; nothing is chosen
    by that.
    """
    test = folds[0].test[:0] if with_test else folds[0].test
    train = np.setdiff1d(np.arange(n_rows), test)
    return Fold(train, train[:: -(-len(train) // MOST_MEASURED)], test)


def _folds(spec: SplitSpec, split: Split, rest: Rows, test: Rows) -> list[Fold]:
    n_folds = spec.folds or 1
    if spec.time:
        # One block more than folds: the first is never validated on, because nothing lies before it to train on.
        blocks = split(rest, [1 / (n_folds + 1)] * (n_folds + 1))
        return [Fold(rest[blocks <= i], rest[blocks == i + 1], test) for i in range(n_folds)]
    blocks = split(rest, [1 / n_folds] * n_folds)
    return [Fold(rest[blocks != i], rest[blocks == i], test) for i in range(n_folds)]


def _splitter(spec: SplitSpec, frame: Frame) -> Split:
    if frame.times is not None:
        return partial(_by_time, frame)
    rng = np.random.default_rng(spec.seed)
    strata = _strata(spec, frame) if spec.stratify else np.zeros(len(frame), dtype=np.int64)
    if frame.groups is not None:
        return partial(_by_group, spec, frame, strata, rng)
    return partial(_at_random, spec, frame, strata, rng)


def _strata(spec: SplitSpec, frame: Frame) -> Codes:
    if frame.target.classes:
        return np.asarray(frame.target.values, dtype=np.int64)
    # By rank, not by value: every quantile has the same number of rows however many values are equal.
    n_parts = spec.folds or 3
    # Two rows of each quantile for each part at least, or dealing them out could leave a part without.
    n_quantiles = max(1, min(N_QUANTILES, int(len(frame) * (1 - spec.test)) // (2 * n_parts)))
    ranks = np.empty(len(frame), dtype=np.int64)
    ranks[np.argsort(frame.target.values, kind="stable")] = np.arange(len(frame))
    return ranks * n_quantiles // len(frame)


def _by_time(frame: Frame, rows: Rows, shares: Sequence[float]) -> Labels:
    _check_count(len(rows), shares, "rows")
    assert frame.times is not None
    return time_folds(frame.times[rows], shares)


def _by_group(
    spec: SplitSpec, frame: Frame, strata: Codes, rng: np.random.Generator, rows: Rows, shares: Sequence[float]
) -> Labels:
    assert frame.groups is not None
    names, groups = np.unique(frame.groups[rows], return_inverse=True)
    _check_count(len(names), shares, f"groups of {spec.group!r}")
    return group_folds(groups, strata[rows], shares, rng)


def _at_random(
    spec: SplitSpec, frame: Frame, strata: Codes, rng: np.random.Generator, rows: Rows, shares: Sequence[float]
) -> Labels:
    _check_count(len(rows), shares, "rows")
    present, codes, counts = np.unique(strata[rows], return_inverse=True, return_counts=True)
    # Quantiles are made large enough; classes are what they are.
    if spec.stratify and frame.target.classes and counts.min() < len(shares):
        rarest = frame.target.classes[present[np.argmin(counts)]]
        raise DataError(
            f"data.split.stratify: the class {rarest!r} must have {len(shares)} rows or more, one for each of "
            f"{len(shares)} parts, got {counts.min()}. Merge the class with another, leave it out, ask for "
            "fewer folds, or write `stratify: false`."
        )
    return stratified_folds(codes, shares, rng)


def _check_count(count: int, shares: Sequence[float], what: str) -> None:
    if count < len(shares):
        raise DataError(
            f"data.split: expected at least {len(shares)} {what} to fill {len(shares)} parts, got {count}. "
            "Give more rows, or ask for fewer folds or parts."
        )


def _check_parts(spec: SplitSpec, frame: Frame, fold: Fold, number: int) -> None:
    place = "data.split" if spec.folds is None else f"data.split, fold {number} of {spec.folds}"
    expected = ("train", "valid", "test") if spec.test else ("train", "valid")
    for name in expected:
        if len(getattr(fold, name)) == 0:
            raise DataError(
                f"{place}: the {name} part would be empty: {len(frame)} rows hold too few different values of "
                f"{spec.time or spec.group!r}. Change the shares, or split another way."
            )
    if frame.target.classes and len(np.unique(frame.target.values[fold.train])) < 2:
        raise DataError(
            f"{place}: all {len(fold.train)} training rows are of one class. "
            "Write `stratify: true`, or split another way."
        )
