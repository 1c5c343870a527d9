"""Losses as the targets of a model, and which rows of a long history it sees."""

import numpy as np

from pegbox.search.model.loss_scaling import scalarised, standardised
from pegbox.search.model.subsampling import subsampled


def test_standardised_losses_have_mean_zero_and_deviation_one() -> None:
    losses = standardised(np.array([3.0, 1.0, 2.0, 5.0]))
    assert abs(losses.mean()) < 1e-12
    assert abs(losses.std() - 1) < 1e-12


def test_an_enormous_loss_does_not_hide_the_others() -> None:
    losses = standardised(np.array([0.1, 0.2, 0.3, 0.4, 1e30]))
    assert losses[1] - losses[0] > 0.05
    assert losses[4] == losses.max()


def test_equal_losses_become_zeros() -> None:
    assert standardised(np.full(4, 7.0)).tolist() == [0.0] * 4


def test_a_weight_of_one_ranks_by_that_objective() -> None:
    losses = np.array([[3.0, 0.0], [1.0, 9.0], [2.0, 4.0]])
    assert np.argsort(scalarised(losses, np.array([1.0, 0.0]))).tolist() == [1, 2, 0]


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
