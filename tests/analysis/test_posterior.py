from functools import cache

import numpy as np
import pytest

from pegbox.analysis.posterior import mean_draws
from pegbox.analysis.replicates import Replicates


def table(losses):
    losses = np.array(losses, dtype=float)
    return Replicates(tuple(range(len(losses))), losses, np.ones(len(losses)))


def simulated(number, n_finalists=5, n_seeds=5, spread=0.3, seed_effect=0.0):
    rng = np.random.default_rng([number, 11])
    truth = spread * rng.standard_normal(n_finalists)
    shared = seed_effect * rng.standard_normal(n_seeds)
    return truth, table(truth[:, None] + shared + rng.standard_normal((n_finalists, n_seeds)))


@cache
def picked(number):
    """Whether the interval covers, and how much too good the estimate and the plain mean of the picked one are."""
    truth, replicates = simulated(number)
    draws = mean_draws(replicates)
    best, lowest = draws.mean(axis=0).argmin(), replicates.means.argmin()
    low, high = np.quantile(draws[:, best], [0.025, 0.975])
    optimism = truth[best] - draws[:, best].mean()
    return low <= truth[best] <= high, optimism, truth[lowest] - replicates.means[lowest]


@pytest.mark.long
def test_interval_of_the_picked_one_covers_its_true_mean():
    assert np.mean([picked(number)[0] for number in range(40)]) >= 0.9


def test_estimate_is_half_as_optimistic_as_the_lowest_mean():
    _, optimism, plain_optimism = np.mean([picked(number) for number in range(40)], axis=0)
    assert plain_optimism > 0.2
    assert abs(optimism) < plain_optimism / 2


def test_means_are_drawn_together_by_the_noise():
    replicates = table([[0.0, 2.0, 1.0], [0.5, 2.5, 1.8], [1.0, 3.0, 2.2]])
    estimates = mean_draws(replicates).mean(axis=0)
    assert np.ptp(estimates) < np.ptp(replicates.means)


def test_shared_seed_effects_cancel_in_comparisons():
    shared = np.array([0.0, 5.0, -3.0, 2.0, 8.0])
    noise = np.array([0.1, -0.1, 0.0, 0.1, -0.1])
    replicates = table([shared + noise, shared + 1 - noise])
    draws = mean_draws(replicates)
    assert (draws[:, 0] < draws[:, 1]).mean() > 0.99


def test_single_finalist_gets_about_students_interval():
    replicates = table([[1.0, 2.0, 3.0, 4.0, 5.0]])
    low, high = np.quantile(mean_draws(replicates), [0.025, 0.975])
    assert high - low == pytest.approx(2 * 2.776 * np.sqrt(2.5 / 5), rel=0.25)


def test_values_without_spread_are_taken_as_they_are():
    assert mean_draws(table([[0.5, 0.5], [0.7, 0.7]])).tolist() == [[0.5, 0.7]]


def test_missing_seeds_widen_the_interval():
    full = mean_draws(table([[0.1, 0.3, 0.2, 0.4], [0.2, 0.5, 0.3, 0.4]]))
    holes = mean_draws(table([[0.1, 0.3, np.nan, np.nan], [0.2, 0.5, 0.3, 0.4]]))
    assert holes[:, 0].std() > full[:, 0].std()
