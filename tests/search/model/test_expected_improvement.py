"""Expected improvement and its logarithm."""

import numpy as np
from scipy.stats import norm

from pegbox.search.model.expected_improvement import log_expected_improvement, log_improvement, log_share_to_learn


def test_the_logarithm_agrees_with_the_formula_where_that_is_exact() -> None:
    z = np.linspace(-5, 5, 101)
    np.testing.assert_allclose(log_improvement(z), np.log(norm.pdf(z) + z * norm.cdf(z)), rtol=1e-6)


def test_the_logarithm_keeps_falling_where_improvement_vanishes() -> None:
    values = log_improvement(-np.logspace(0, 6, 200))
    assert np.isfinite(values).all()
    assert (np.diff(values) < 0).all()


def test_lower_means_and_wider_deviations_are_better() -> None:
    better = log_expected_improvement(np.array([0.0, -1.0, 0.0]), np.array([1.0, 1.0, 2.0]), -0.5)
    assert better[1] > better[0]
    assert better[2] > better[0]


def test_what_is_known_but_for_its_noise_is_worth_little() -> None:
    deviation = np.array([1e-9, 0.01, 0.1, 1.0, 100.0])
    found = log_share_to_learn(deviation, 0.04)
    np.testing.assert_allclose(found[1:], np.log(1 - 0.2 / np.sqrt(deviation[1:] ** 2 + 0.04)))
    assert (np.diff(found) > 0).all()
    assert np.isfinite(found).all()
