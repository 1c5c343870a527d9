"""Knowledge gradient: how far a step of training is expected to lower the best mean at the full budget."""

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from pegbox.search.model.budget_surrogate import Surrogate
from pegbox.search.model.expected_improvement import log_expected_improvement
from pegbox.search.space.axes import Array

# Gauss-Hermite: E f(Z), Z standard normal. f is piecewise linear, so that no number of nodes is exact; odd, to have one
# at 0, and fixed, to be the same at a replay where draws would need seeds. Picked by hand against time.
_NODES, _WEIGHTS = hermegauss(15)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
MOST_RIVALS = 40
"""A value moves whoever may become the lowest, hardly one far above. By hand: points x rivals x nodes numbers."""
TINY = 1e-12
"""Steps are compared by the logarithm of their value for each epoch, which zero has not."""


class KnowledgeGradient:
    """One-step lookahead over (configuration, budget).

    The rivals are the seen points of lowest posterior mean. A value at a low budget is worth something only as far as
    it moves the means at the full one.

    Source: Frazier et al. 2009 (knowledge gradient); Wu et al. 2020 (with fidelities, by cost).
    """

    def __init__(self, surrogate: Surrogate, margin: float = 0.0) -> None:
        """Look ahead from a model.

        Args:
            surrogate: The model.
            margin: The first part of a fall or an improvement, which counts for nothing; in deviations of the seen
                points' means.
        """
        self._surrogate = surrogate
        # A trial has a row for each rung; NaN equals nothing, so inactive parameters would keep its rows apart.
        points = np.unique(np.nan_to_num(surrogate.seen, nan=-1.0), axis=0, return_index=True)[1]
        means = surrogate.mean(surrogate.seen[points])
        kept = np.argsort(means, kind="stable")[:MOST_RIVALS]
        self._margin = margin * float(means.std())
        self._means = means[kept]
        self._rivals = surrogate.scorer.features(surrogate.seen[points[kept]])

    @property
    def lowest(self) -> float:
        """The lowest posterior mean of a seen point at the full budget."""
        return float(self._means[0])

    def fall(self, points: Array, budget: float) -> Array:
        """Expected fall of the lowest mean once each point has been evaluated at a budget, shape (n,); > 0."""
        posterior = self._surrogate.posterior
        now = self._surrogate.scorer.features(points, budget)
        final = self._surrogate.scorer.features(points)
        deviation = np.sqrt(posterior.predict(now)[1] ** 2 + posterior.noise)
        slopes = posterior.covariance(now, self._rivals) / deviation[:, None]
        own_slope = posterior.paired_covariance(now, final) / deviation
        means = np.column_stack([np.broadcast_to(self._means, slopes.shape), self._surrogate.mean(points)])
        lines = means[:, :, None] + np.column_stack([slopes, own_slope])[:, :, None] * _NODES
        falls = np.maximum(self.lowest - self._margin - lines.min(axis=1), 0.0)
        return np.asarray(falls @ _WEIGHTS + TINY)

    def gain(self, points: Array) -> Array:
        """Expected improvement over the lowest loss in hand of a value at the full budget, shape (n,)."""
        mean, deviation = self._surrogate.predict(points)
        incumbent = float(self._surrogate.losses.min()) - self._margin
        return np.asarray(np.exp(log_expected_improvement(mean, deviation, incumbent)))
