from typing import Any

import numpy as np
import pytest

from pegbox.datasets.frame import Frame
from pegbox.datasets.interpretation import TextHabits
from pegbox.datasets.split import Fold, split_rows
from pegbox.datasets.target import Target
from pegbox.schemas.data import SplitSpec
from pegbox.schemas.errors import DataError


def rows_of(target: Any, groups: Any = None, times: Any = None) -> Frame:
    """Rows of which only what splits them matters; integers are class codes."""
    values = np.asarray(target)
    classes = tuple(f"class {i}" for i in range(values.max() + 1)) if values.dtype.kind == "i" else ()
    n = len(values)
    return Frame(
        target=Target("classification" if classes else "regression", values, classes, np.arange(n)),
        numeric_names=(),
        numeric=np.empty((n, 0)),
        categorical_names=(),
        codes=np.empty((n, 0), dtype=np.int64),
        levels=(),
        groups=None if groups is None else np.asarray(groups),
        times=None if times is None else np.asarray(times, dtype=float),
        shape=None,
        n_dropped=0,
        target_name="y",
        target_told="",
        columns=(),
        types={},
        habits=TextHabits(mark=None, day_first=None, yes={}),
    )


def sizes(fold: Fold) -> tuple[int, int, int]:
    return len(fold.train), len(fold.valid), len(fold.test)


BALANCED = np.arange(100) % 2


def test_shares_are_kept_and_no_row_is_lost() -> None:
    (fold,) = split_rows(SplitSpec(test=0.2, valid=0.1), rows_of(BALANCED))

    assert sizes(fold) == (70, 10, 20)
    assert sorted(np.concatenate([fold.train, fold.valid, fold.test])) == list(range(100))


def test_no_test_share_holds_out_nothing() -> None:
    (fold,) = split_rows(SplitSpec(test=0, valid=0.2), rows_of(BALANCED))

    assert sizes(fold) == (80, 20, 0)


def test_seed_alone_decides_the_rows() -> None:
    first, again, other = (split_rows(SplitSpec(seed=seed), rows_of(BALANCED))[0] for seed in (1, 1, 2))

    assert first.test.tolist() == again.test.tolist() != other.test.tolist()


def test_stratified_parts_keep_the_share_of_a_rare_class() -> None:
    target = np.array([0] * 950 + [1] * 50)

    (fold,) = split_rows(SplitSpec(stratify=True), rows_of(target))

    assert [target[part].mean() for part in (fold.train, fold.valid, fold.test)] == [0.05, 0.05, 0.05]


def test_stratified_numbers_keep_their_quantiles() -> None:
    target = np.random.default_rng(0).lognormal(size=1000)

    (fold,) = split_rows(SplitSpec(stratify=True), rows_of(target))

    tail = target > np.quantile(target, 0.9)
    assert [tail[part].mean() for part in (fold.train, fold.valid, fold.test)] == [0.1, 0.1, 0.1]


def test_stratified_numbers_may_be_mostly_equal() -> None:
    target = np.array([0.0] * 95 + [1.0, 2.0, 3.0, 4.0, 5.0])

    (fold,) = split_rows(SplitSpec(stratify=True), rows_of(target))

    assert sizes(fold) == (60, 20, 20)


@pytest.mark.parametrize("n", [12, 13, 20, 37])
def test_quantiles_are_never_too_few_for_the_folds(n: int) -> None:
    spec = SplitSpec(folds=10, test=0.1, stratify=True)

    folds = split_rows(spec, rows_of(np.linspace(0.0, 1.0, n)))

    assert min(len(fold.valid) for fold in folds) >= 1


def test_folds_validate_every_row_once_and_share_the_test_rows() -> None:
    folds = split_rows(SplitSpec(folds=4, test=0.2), rows_of(BALANCED))

    assert [sizes(fold) for fold in folds] == [(60, 20, 20)] * 4
    assert len({tuple(fold.test) for fold in folds}) == 1
    everything = np.concatenate([folds[0].test, *(fold.valid for fold in folds)])
    assert sorted(everything) == list(range(100))


def test_stratified_folds_each_hold_every_class() -> None:
    target = np.array([0] * 94 + [1] * 6)

    folds = split_rows(SplitSpec(folds=5, test=0.1, stratify=True), rows_of(target))

    assert [target[fold.valid].sum() for fold in folds] == [1] * 5
    assert target[folds[0].test].sum() == 1


def test_groups_never_cross_parts() -> None:
    groups = np.random.default_rng(0).integers(0, 30, 300)

    folds = split_rows(SplitSpec(folds=3, group="house"), rows_of(np.arange(300) % 2, groups))

    for fold in folds:
        assert not set(groups[fold.train]) & set(groups[fold.valid])
        assert not set(groups[fold.test]) & set(groups[np.concatenate([fold.train, fold.valid])])


def test_grouped_and_stratified_parts_keep_both() -> None:
    groups = np.repeat(np.arange(100), 4)
    target = np.where(groups < 20, 1, 0)

    (fold,) = split_rows(SplitSpec(group="house", stratify=True), rows_of(target, groups))

    assert [target[part].mean() for part in (fold.train, fold.valid, fold.test)] == [0.2, 0.2, 0.2]
    assert not set(groups[fold.train]) & set(groups[fold.test])


def test_time_puts_the_latest_rows_last() -> None:
    times = np.random.default_rng(0).permutation(100)

    (fold,) = split_rows(SplitSpec(time="day"), rows_of(BALANCED, times=times))

    assert times[fold.train].max() < times[fold.valid].min()
    assert times[fold.valid].max() < times[fold.test].min()
    assert sizes(fold) == (60, 20, 20)


def test_folds_by_time_train_on_the_past_only() -> None:
    times = np.arange(100)

    folds = split_rows(SplitSpec(time="day", folds=3), rows_of(BALANCED, times=times))

    assert [sizes(fold) for fold in folds] == [(20, 20, 20), (40, 20, 20), (60, 20, 20)]
    assert all(fold.train.max() < fold.valid.min() and fold.valid.max() < fold.test.min() for fold in folds)


@pytest.mark.parametrize(
    ("spec", "frame", "message"),
    [
        (SplitSpec(folds=12, test=0), rows_of([0, 1] * 4), "expected at least 12 rows to fill 12 parts, got 8"),
        (SplitSpec(), rows_of([0, 1]), "expected at least 3 rows to fill 3 parts, got 2"),
        (
            SplitSpec(stratify=True),
            rows_of([0] * 20 + [1] * 2),
            "'class 1' must have 3 rows or more, one for each of 3 parts, got 2",
        ),
        (
            SplitSpec(stratify=True, folds=5),
            rows_of([0] * 20 + [1] * 5),
            "'class 1' must have 5 rows or more, one for each of 5 parts, got 4",
        ),
        (
            SplitSpec(group="house"),
            rows_of([0, 1] * 10, groups=[0, 1] * 10),
            "expected at least 3 groups of 'house' to fill 3 parts, got 2",
        ),
        (
            SplitSpec(time="day"),
            rows_of([0, 1] * 10, times=[1] * 10 + [2] * 10),
            "the valid part would be empty: 20 rows hold too few different values of 'day'",
        ),
        (SplitSpec(time="day"), rows_of([0, 1], times=[1, 2]), "expected at least 3 rows to fill 3 parts, got 2"),
        (
            SplitSpec(time="day"),
            rows_of([0] * 60 + [1] * 40, times=range(100)),
            "all 60 training rows are of one class",
        ),
        (
            SplitSpec(time="day", folds=2, test=0),
            rows_of([0] * 40 + [1] * 50, times=range(90)),
            "fold 0 of 2: all 30 training rows are of one class",
        ),
    ],
)
def test_too_few_of_anything_is_refused(spec: SplitSpec, frame: Frame, message: str) -> None:
    with pytest.raises(DataError, match=f"^data.split.*({message})"):
        split_rows(spec, frame)
