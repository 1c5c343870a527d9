import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pegbox.datasets.folds import group_folds, stratified_folds, time_folds

SHARES = st.sampled_from([(0.6, 0.2, 0.2), (0.5, 0.5), (0.9, 0.05, 0.05), (0.2,) * 5])


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(sizes=st.lists(st.integers(5, 40), min_size=1, max_size=30), shares=SHARES)
def test_every_stratum_is_in_every_part(sizes: list[int], shares: tuple[float, ...]) -> None:
    strata = np.repeat(np.arange(len(sizes)), sizes)

    labels = stratified_folds(strata, shares, random())

    held = np.zeros((len(sizes), len(shares)), dtype=int)
    np.add.at(held, (strata, labels), 1)
    assert held.min() >= 1
    assert held.sum(axis=1).tolist() == sizes


@given(n_strata=st.integers(1, 50), size=st.integers(20, 60), shares=st.sampled_from([(0.6, 0.2, 0.2), (0.2,) * 5]))
def test_rounding_adds_up_over_no_number_of_strata(n_strata: int, size: int, shares: tuple[float, ...]) -> None:
    labels = stratified_folds(np.repeat(np.arange(n_strata), size), shares, random())

    wanted = n_strata * size * np.asarray(shares)
    assert np.abs(np.bincount(labels) - wanted).max() <= 1


def test_strata_are_dealt_in_their_shares() -> None:
    strata = np.array([0] * 100 + [1] * 10)

    labels = stratified_folds(strata, (0.6, 0.2, 0.2), random())

    assert np.bincount(labels[strata == 0]).tolist() == [60, 20, 20]
    assert np.bincount(labels[strata == 1]).tolist() == [6, 2, 2]


def test_seed_decides_which_rows_are_dealt_together() -> None:
    strata = np.zeros(50, dtype=np.int64)

    first, again, other = (stratified_folds(strata, (0.5, 0.5), random(seed)) for seed in (1, 1, 2))

    assert first.tolist() == again.tolist() != other.tolist()


@given(sizes=st.lists(st.integers(1, 30), min_size=3, max_size=40), seed=st.integers(0, 9))
def test_groups_stay_whole_and_fill_every_part(sizes: list[int], seed: int) -> None:
    groups = np.repeat(np.arange(len(sizes)), sizes)

    labels = group_folds(groups, np.zeros_like(groups), (0.6, 0.2, 0.2), random(seed))

    parts_of_group = [set(labels[groups == group]) for group in range(len(sizes))]
    assert {len(parts) for parts in parts_of_group} == {1}
    assert set(labels) == {0, 1, 2}


def test_many_groups_reach_their_shares() -> None:
    groups = random().integers(0, 500, 10_000)

    labels = group_folds(groups, np.zeros_like(groups), (0.6, 0.2, 0.2), random())

    np.testing.assert_allclose(np.bincount(labels) / 10_000, (0.6, 0.2, 0.2), atol=0.01)


def test_giant_group_goes_to_the_largest_part() -> None:
    groups = np.array([0] * 90 + [1] * 5 + [2] * 5)

    labels = group_folds(groups, np.zeros_like(groups), (0.2, 0.6, 0.2), random())

    assert set(labels[:90]) == {1}


def test_groups_are_dealt_by_their_commonest_stratum() -> None:
    groups = np.repeat(np.arange(40), 3)
    mostly_0, only_1 = [0, 0, 1] * 30, [1, 1, 1] * 10

    labels = group_folds(groups, np.array(mostly_0 + only_1), (0.5, 0.5), random())

    assert np.bincount(labels[groups < 30]).tolist() == [45, 45]
    assert np.bincount(labels[groups >= 30]).tolist() == [15, 15]


def test_strata_of_one_group_fill_different_parts() -> None:
    groups = np.arange(6)

    labels = group_folds(groups, groups, (0.6, 0.2, 0.2), random())

    assert set(labels) == {0, 1, 2}


def test_latest_rows_go_to_the_last_part() -> None:
    times = random().permutation(10).astype(float)

    labels = time_folds(times, (0.6, 0.2, 0.2))

    assert labels[np.argsort(times)].tolist() == [0, 0, 0, 0, 0, 0, 1, 1, 2, 2]


@given(times=st.lists(st.integers(0, 8), min_size=3, max_size=60))
def test_no_time_is_cut_in_two_and_order_holds(times: list[int]) -> None:
    array = np.array(times, dtype=float)

    labels = time_folds(array, (0.6, 0.2, 0.2))

    order = np.argsort(array, kind="stable")
    assert (np.diff(labels[order]) >= 0).all()
    assert all(len(set(labels[array == time])) == 1 for time in set(times))


@pytest.mark.parametrize(("days", "expected"), [([1, 1, 1, 2], [0, 0, 0, 1]), ([1, 2, 2, 2], [0, 1, 1, 1])])
def test_cut_moves_to_the_nearest_change(days: list[float], expected: list[int]) -> None:
    assert time_folds(np.array(days, dtype=float), (0.5, 0.5)).tolist() == expected
