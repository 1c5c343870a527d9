"""Multi-fidelity features of (configuration, budget): those of the point, and how near its budget is to the full one.

The nearness goes by the logarithm: rungs grow by a factor, and a learning curve changes as much from 3 to 9 epochs as
from 9 to 27.
"""

import math

import numpy as np

from pegbox.search.model.features import FeatureMap
from pegbox.search.space.axes import Array


class BudgetFeatures:
    """Features of points, with the logarithm of the budget as one more where trials end at different ones."""

    def __init__(self, space: FeatureMap, full_budget: float, has_rungs: bool) -> None:
        self._space = space
        self._full = full_budget
        self._has_rungs = has_rungs
        self.n_groups = space.n_groups + has_rungs
        self.groups = np.append(space.groups, space.n_groups) if has_rungs else space.groups

    def features(self, snapped: Array, budgets: Array | float | None = None) -> Array:
        """Shape (n, n_features); at the full budget where none is given."""
        features = self._space.features(snapped)
        # A column that is the same for all rows would cost a length scale and tell nothing.
        if not self._has_rungs:
            return features
        share = self.nearness(np.asarray(self._full if budgets is None else budgets))
        return np.column_stack([features, np.broadcast_to(share, len(features))])

    def nearness(self, budgets: Array) -> Array:
        """Of each budget to the full one: 0 for one epoch, 1 for all, in between by the logarithm."""
        # 2, where the full budget is one epoch: the logarithm of 1 would divide by zero.
        return np.asarray(np.log(np.maximum(budgets, 1.0)) / math.log(max(self._full, 2.0)))
