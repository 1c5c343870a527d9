"""Probability of feasibility: how likely a configuration is to train at all, learnt from the trials that failed."""

import numpy as np
import numpy.typing as npt

from pegbox.search.model.gaussian_process import Posterior, Prior, fit
from pegbox.search.model.training_data import Data
from pegbox.search.space.axes import Array

MOST_ROWS = 300
"""Half of each kind, the latest: else many successes would drown the few failures. Picked by hand; costs its cube."""
SOFTNESS = 0.1
"""Variance of the threshold between success (+1) and failure (-1).

Picked by hand: with none, one failure beside a success makes a cliff that the search never crosses again.
"""


class FeasibilityModel:
    """A Gaussian process on success and failure, squashed to a probability.

    Source: the probability of feasibility of Gardner et al. 2014, with labels in place of a constraint.
    """

    def __init__(self, succeeded: Array, failed: Array, groups: npt.NDArray[np.int64], n_groups: int) -> None:
        succeeded, failed = succeeded[-MOST_ROWS // 2 :], failed[-MOST_ROWS // 2 :]
        labels = np.concatenate([np.ones(len(succeeded)), -np.ones(len(failed))])
        self._mean = labels.mean()
        # Held, for a study of which every trial failed: labels that are all the same have no deviation.
        self._deviation = max(labels.std(), 0.05)
        # Longer length scales than for losses, and no slopes, as what fails fills regions (a memory, a learning rate).
        targets = (labels - self._mean) / self._deviation
        data = Data(np.vstack([succeeded, failed]), groups, targets)
        self._posterior = Posterior(data, fit(data, Prior(n_groups, has_effects=False, share=1.0), iterations=25))

    def log_probability(self, features: Array) -> Array:
        """Logarithm of the probability that training succeeds, shape (n,)."""
        from scipy.special import log_ndtr  # not loaded before a model asks: see gaussian_process.py

        mean, deviation = self._posterior.predict(features)
        variance = (self._deviation * deviation) ** 2 + SOFTNESS
        return np.asarray(log_ndtr((self._mean + self._deviation * mean) / np.sqrt(variance)))
