"""Losses as the targets of a model, and which rows of a long history it sees."""

import numpy as np
import pytest

from pegbox.search.model.loss_scaling import SCALINGS, Scaling, pressed, scalarised, standardised
from pegbox.search.model.subsampling import subsampled


def test_standardised_losses_have_mean_zero_and_deviation_one() -> None:
    losses = standardised(np.array([3.0, 1.0, 2.0, 5.0]))
    assert abs(losses.mean()) < 1e-12
    assert abs(losses.std() - 1) < 1e-12


def test_an_enormous_loss_does_not_hide_the_others() -> None:
    losses = standardised(np.array([0.1, 0.2, 0.3, 0.4, 1e30]))
    assert losses[1] - losses[0] > 0.05
    assert losses[4] == losses.max()


@pytest.mark.parametrize("n_far", [1, 3])
def test_a_few_that_explode_leave_the_good_ones_apart(n_far: int) -> None:
    losses = np.append(np.linspace(0, 1, 20), np.full(n_far, 1e6))
    assert np.ptp(standardised(losses)[:20]) > 2.5


def test_equal_losses_become_zeros() -> None:
    assert standardised(np.full(4, 7.0)).tolist() == [0.0] * 4


@pytest.mark.parametrize("scaling", SCALINGS)
def test_a_scaling_keeps_the_better_half_and_the_order(scaling: Scaling) -> None:
    losses = np.random.default_rng(0).lognormal(0, 3, 41)
    scaled = scaling(losses)
    good = losses <= np.median(losses)
    assert np.array_equal(scaled[good], losses[good])
    assert (np.diff(scaled[np.argsort(losses)]) >= 0).all()


@pytest.mark.parametrize("size", [1e3, 1e6, 1e30])
def test_a_third_that_explodes_leaves_the_good_ones_apart(size: float) -> None:
    losses = np.append(np.linspace(0, 1, 20), size * (1 + np.arange(10)))
    assert np.ptp(standardised(losses, pressed)[:20]) > 1


@pytest.mark.parametrize("losses", [[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 5.0], [-1e308, 0.0, 1e308]])
def test_no_scaling_makes_values_that_are_no_numbers(losses: list[float]) -> None:
    for scaling in SCALINGS:
        assert np.isfinite(standardised(np.array(losses), scaling)).all()


def test_a_weight_of_one_ranks_by_that_objective() -> None:
    losses = np.array([[3.0, 0.0], [1.0, 9.0], [2.0, 4.0]])
    assert np.argsort(scalarised(losses, np.array([1.0, 0.0]))).tolist() == [1, 2, 0]


def test_an_objective_that_explodes_leaves_the_good_ones_apart() -> None:
    good = np.column_stack([np.linspace(0, 1, 20), np.linspace(1, 0, 20)])
    losses = np.vstack([good, np.column_stack([1e6 * (1 + np.arange(10)), np.full(10, 0.5)])])
    merged = standardised(scalarised(losses, np.array([0.5, 0.5])))
    assert np.ptp(merged[:20]) > 0.1


def test_thinning_keeps_the_best_and_a_sample_of_the_rest() -> None:
    losses = np.arange(1000.0)
    kept = subsampled(losses, 100)
    assert len(set(kept.tolist())) == 100
    assert set(range(50)) <= set(kept.tolist())
    assert kept.max() > 800


def test_thinning_prefers_values_near_the_full_budget() -> None:
    losses = np.zeros(400)
    nearness = np.repeat([0.0, 1.0], [350, 50])
    assert set(range(350, 400)) <= set(subsampled(losses, 120, nearness).tolist())
