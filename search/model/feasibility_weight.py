"""Feasibility weighting: what weighs on an acquisition beside the objectives: guesses, failures, constraints."""

import math

import numpy as np

from pegbox.search.model.acquisition_optimiser import Score
from pegbox.search.model.constraint_model import ConstraintModel
from pegbox.search.model.feasibility_model import FeasibilityModel
from pegbox.search.model.features import FeatureMap
from pegbox.search.model.observations import Observations
from pegbox.search.space.axes import Array
from pegbox.search.space.encoding import SpaceEncoding
from pegbox.search.space.priors import Priors

LEAST_FEASIBLE = math.log(0.5)
"""What trains with less than even odds is left alone. With the probability as a mere factor 95 % of the later trials of
`benchmarks/failures.py` failed, with this floor none."""
OUT_OF_BOUNDS = 1e9
"""Taken from the score of what will hardly train: where all else is known well, the logarithm of its improvement falls
so low that a probability alone would not outweigh it."""


class FeasibilityWeight:
    """Weighs points of one space by the user's guesses and the probabilities of training and of keeping the limits."""

    def __init__(self, encoding: SpaceEncoding) -> None:
        self._features = FeatureMap(encoding)
        self._priors = Priors(encoding)

    def log_weight(self, seen: Observations) -> Score:
        """What is added to the logarithm of an acquisition, as far as the history tells."""
        feasibility, kept = self._feasibility(seen), self._kept(seen)

        def weigh(points: Array) -> Array:
            total = np.zeros(len(points))
            if kept is not None:
                total = total + kept.log_probability(self._features.features(points))
            if self._priors.are_given:
                total = total + self._priors.log_weight(points, len(seen.losses))
            if feasibility is None:
                return total
            probability = feasibility.log_probability(self._features.features(points))
            return total + probability - np.where(probability < LEAST_FEASIBLE, OUT_OF_BOUNDS, 0.0)

        return weigh

    def _kept(self, seen: Observations) -> ConstraintModel | None:
        """The model of the constraints; None for a study without."""
        if not seen.violations.shape[1]:
            return None
        features = self._features.features(seen.points)
        return ConstraintModel(features, seen.violations, self._features.groups, self._features.n_groups)

    def _feasibility(self, seen: Observations) -> FeasibilityModel | None:
        """The model of what trains; None while nothing has failed."""
        if not len(seen.failed):
            return None
        succeeded, failed = self._features.features(seen.points), self._features.features(seen.failed)
        return FeasibilityModel(succeeded, failed, self._features.groups, self._features.n_groups)
