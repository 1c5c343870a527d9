"""Expected improvement and its logarithm."""

import numpy as np
from scipy.stats import norm

from pegbox.search.model.expected_improvement import log_expected_improvement, log_improvement


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
