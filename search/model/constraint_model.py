"""Probability of feasibility under the study's constraints, learnt from the metrics that they limit."""

import numpy as np
import numpy.typing as npt

from pegbox.search.model.gaussian_process import Posterior, Prior, fit
from pegbox.search.model.training_data import Data
from pegbox.search.space.axes import Array

MOST_ROWS = 200
"""As many as the losses' fit looks at, the latest: each constraint is fitted anew at every ask, by their cube."""
FEWEST_ROWS = 2
"""One value has no spread that a model could explain."""


class ConstraintModel:
    """A Gaussian process on each constraint's violation; the probabilities of keeping them are multiplied.

    Source: Gardner et al. 2014 (constrained expected improvement).
    """

    def __init__(self, features: Array, violations: Array, groups: npt.NDArray[np.int64], n_groups: int) -> None:
        """Learn from what was measured.

        Args:
            features: Of the evaluations, shape (n, n_features).
            violations: Shape (n, n_constraints); zero or less inside, NaN where it was not measured.
            groups: Which length scale each feature uses, shape (n_features,).
            n_groups: Number of length scales.
        """
        self._models = []
        for column in violations.T:
            known = np.flatnonzero(np.isfinite(column))[-MOST_ROWS:]
            if len(known) >= FEWEST_ROWS:
                self._models.append(_OneConstraint(features[known], column[known], groups, n_groups))

    def log_probability(self, features: Array) -> Array:
        """Logarithm of the probability that all constraints are kept, shape (n,)."""
        return sum((model.log_probability(features) for model in self._models), np.zeros(len(features)))


class _OneConstraint:
    """Violations are pressed together on both sides of zero: how far outside a configuration lies matters little.

    arcsinh is linear near zero, where the limit is, and logarithmic far from it.
    """

    def __init__(self, features: Array, violations: Array, groups: npt.NDArray[np.int64], n_groups: int) -> None:
        # The median is 0 where most values lie exactly on the limit, such as a count that is bounded by it.
        scale = np.median(np.abs(violations)) or np.abs(violations).max() or 1.0
        pressed = np.arcsinh(violations / scale)
        self._mean, self._deviation = pressed.mean(), max(pressed.std(), 1e-6)
        data = Data(features, groups, (pressed - self._mean) / self._deviation)
        self._posterior = Posterior(data, fit(data, Prior(n_groups), iterations=25))

    def log_probability(self, features: Array) -> Array:
        from scipy.special import log_ndtr  # not loaded before a model asks: see gaussian_process.py

        mean, deviation = self._posterior.predict(features)
        return np.asarray(log_ndtr(-(self._mean / self._deviation + mean) / deviation))
