"""The losses of a history as a Gaussian process over (configuration, budget); decides nothing."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from pegbox.search.axes import Array
from pegbox.search.chain import HyperparameterChain
from pegbox.search.encoding import SpaceEncoding
from pegbox.search.features import FeatureMap
from pegbox.search.gaussian_process import Data, Posterior, Prior, fit
from pegbox.search.losses import scalarised, standardised
from pegbox.search.observations import Observations
from pegbox.search.thinning import thinned
from pegbox.search.warm_start import EarlierStudies, trust

MOST_ROWS = 600
"""Rows that the model is conditioned on; the time of an ask is bounded by it."""

MOST_BELIEVED = 200
"""Unfinished trials, the latest, that are taken as known at the full budget."""


class ModelSettings(NamedTuple):
    """What the model believes before it sees data, and how much it looks at."""

    longest: float = 0.75
    """Longest length scale, in units of the square root of the number of dimensions: a model of few points may not
    rule a parameter out."""
    most_rows: int = MOST_ROWS


class Surrogate(NamedTuple):
    """A fitted model.

    Attributes:
        posterior: Of the standardised loss less what earlier studies expect of it, running trials believed.
        seen: Snapped points of the rows, shape (n, n_dims).
        losses: Their standardised losses, shape (n,).
        scorer: Turns snapped points into features at a budget.
        expected: What earlier studies expect at snapped points, shape (n,); None where there are none.
    """

    posterior: Posterior
    seen: Array
    losses: Array
    scorer: "BudgetFeatures"
    expected: Callable[[Array], Array] | None = None

    def predict(self, snapped: Array, budget: float | None = None) -> tuple[Array, Array]:
        """Posterior mean and deviation at a budget, the full one where None; each of shape (n,)."""
        mean, deviation = self.posterior.predict(self.scorer.features(snapped, budget))
        return (mean if self.expected is None else mean + self.expected(snapped)), deviation

    def best(self, count: int) -> Array:
        """The seen points of lowest loss, shape (count, n_dims)."""
        return self.seen[np.argsort(self.losses, kind="stable")[:count]]

    def mean(self, snapped: Array, budget: float | None = None) -> Array:
        """Posterior mean at a budget, the full one where None; shape (n,)."""
        mean = self.posterior.mean(self.scorer.features(snapped, budget))
        return mean if self.expected is None else mean + self.expected(snapped)


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
        if not self._has_rungs:
            return features
        share = self.nearness(np.asarray(self._full if budgets is None else budgets))
        return np.column_stack([features, np.broadcast_to(share, len(features))])

    def nearness(self, budgets: Array) -> Array:
        """Of each budget to the full one: 0 for one epoch, 1 for all, in between by the logarithm."""
        return np.asarray(np.log(np.maximum(budgets, 1.0)) / math.log(max(self._full, 2.0)))


class SurrogateBuilder:
    """Fits surrogates to the observations of one study; remembers fits, which follow from the observations alone."""

    def __init__(
        self,
        encoding: SpaceEncoding,
        full_budget: int,
        settings: ModelSettings | None = None,
        earlier: EarlierStudies | None = None,
    ) -> None:
        self._earlier = None if earlier is None or earlier.is_empty else earlier
        self._space = FeatureMap(encoding)
        self._full = float(full_budget)
        self._settings = settings or ModelSettings()
        self._chains: dict[bool, HyperparameterChain] = {}

    def build(
        self,
        seen: Observations,
        weights: Array | None = None,
        believe_unfinished: bool = False,
    ) -> Surrogate:
        """The surrogate of the losses, or of their weighted scalarisation where there are several.

        Args:
            seen: The history as arrays.
            weights: Of several objectives; None for one.
            believe_unfinished: Take trials that are paused, or run towards a low rung, as known at the full budget.
        """
        losses = seen.losses[:, 0] if weights is None else scalarised(seen.losses, weights)
        has_rungs = len(np.unique(np.append(seen.budgets, self._full))) > 1
        scorer = BudgetFeatures(self._space, self._full, has_rungs)
        features = scorer.features(seen.points, seen.budgets)
        expected = self._expectation(seen.points, losses)
        left = standardised(losses) if expected is None else standardised(losses) - expected(seen.points)
        is_stable = weights is None and expected is None
        logs = self._logs(scorer, Data(features, scorer.groups, left), losses, is_stable)
        nearness = scorer.nearness(seen.budgets) if has_rungs else None
        rows = thinned(losses, self._settings.most_rows, nearness)
        targets = standardised(losses[rows])
        left = targets if expected is None else targets - expected(seen.points[rows])
        posterior = Posterior(Data(features[rows], scorer.groups, left), logs)
        if len(seen.pending):
            posterior = posterior.believing(scorer.features(seen.pending, seen.pending_budgets))
        if believe_unfinished and has_rungs:
            # Else a point whose low rung says little about the full budget would be proposed again and again.
            unfinished = np.vstack([seen.unfinished(self._full), seen.pending])[-MOST_BELIEVED:]
            posterior = posterior.believing(scorer.features(unfinished)) if len(unfinished) else posterior
        return Surrogate(posterior, seen.points[rows], targets, scorer, expected)

    def _expectation(self, points: Array, losses: Array) -> Callable[[Array], Array] | None:
        """What earlier studies expect, as far as the new values confirm them; None where they do not."""
        if self._earlier is None:
            return None
        earlier, weights = self._earlier, self._earlier.weights(points, losses)
        if not weights.any():
            return None
        slope = trust(earlier.mean(points, weights), standardised(losses))
        return lambda snapped: slope * earlier.mean(snapped, weights)

    def _logs(self, scorer: BudgetFeatures, data: Data, losses: Array, is_stable: bool) -> Array:
        """Hyperparameters; where the losses change with each ask there is no chain to follow."""
        prior = Prior(scorer.n_groups)
        if is_stable:
            chain = self._chains.setdefault(scorer.n_groups > self._space.n_groups, HyperparameterChain(prior))
            logs = chain.logs(data, losses).copy()
        else:
            rows = thinned(losses, 150)
            logs = fit(Data(data.features[rows], data.groups, data.targets[rows]), prior, iterations=25)
        longest = math.log(self._settings.longest) + 0.5 * math.log(max(scorer.n_groups, 1))
        logs[:-2] = np.minimum(logs[:-2], longest)
        return logs
