"""Multi-fidelity surrogate: the losses of a history as a Gaussian process over (configuration, budget)."""

import math
from typing import NamedTuple

import numpy as np

from pegbox.search.model.budget_features import BudgetFeatures
from pegbox.search.model.features import FeatureMap
from pegbox.search.model.gaussian_process import Data, Posterior, Prior, fit
from pegbox.search.model.incremental_fit import IncrementalFit
from pegbox.search.model.loss_scaling import scalarised, standardised
from pegbox.search.model.observations import Observations
from pegbox.search.model.subsampling import subsampled
from pegbox.search.model.warm_start_mean import Expectation, WarmStartMean
from pegbox.search.space.axes import Array
from pegbox.search.space.encoding import SpaceEncoding

MOST_ROWS = 600
"""Rows that the model is conditioned on; the time of an ask is bounded by it.

Cholesky takes the cube of it: an ask took 52 ms at 1,000 trials and 62 ms at 5,000 (`benchmarks/README.md`). Picked by
hand between that time and what the rows left out could tell.
"""

MOST_BELIEVED = 200
"""Unfinished trials, the latest, that are taken as known at the full budget.

Each is a further row beside `MOST_ROWS`; picked by hand to keep the matrix below 1,000.
"""

LEAST_UNIT = 0.05
"""Of the losses' deviation, however well earlier studies explain them.

Without it a past that explains a few values exactly makes the unit zero and rounding errors the signal. Picked by hand.
"""


class ModelSettings(NamedTuple):
    """What the model believes before it sees data, and how much it looks at."""

    longest: float = 0.75
    """Longest length scale, in units of the square root of the number of dimensions: a model of few points may not
    rule a parameter out. About 2 for 7 dimensions, as it was held in decision 4."""
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
    scorer: BudgetFeatures
    expected: Expectation | None = None

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


class SurrogateBuilder:
    """Fits surrogates to the observations of one study; remembers fits, which follow from the observations alone."""

    def __init__(
        self,
        encoding: SpaceEncoding,
        full_budget: int,
        settings: ModelSettings | None = None,
        earlier: WarmStartMean | None = None,
    ) -> None:
        self._earlier = None if earlier is None or earlier.is_empty else earlier
        self._space = FeatureMap(encoding)
        self._full = float(full_budget)
        self._settings = settings or ModelSettings()
        self._chains: dict[bool, IncrementalFit] = {}

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
        expected, unit = self._expectation(seen, losses)
        left = standardised(losses) / unit
        left = left if expected is None else left - expected(seen.points)
        is_stable = weights is None and expected is None
        logs = self._logs(scorer, Data(features, scorer.groups, left), losses, is_stable)
        nearness = scorer.nearness(seen.budgets) if has_rungs else None
        rows = subsampled(losses, self._settings.most_rows, nearness)
        targets = standardised(losses[rows]) / unit
        left = targets if expected is None else targets - expected(seen.points[rows])
        posterior = Posterior(Data(features[rows], scorer.groups, left), logs)
        if len(seen.pending):
            posterior = posterior.with_pending(scorer.features(seen.pending, seen.pending_budgets))
        if believe_unfinished and has_rungs:
            # Else a point whose low rung says little about the full budget would be proposed again and again.
            unfinished = np.vstack([seen.unfinished(self._full), seen.pending])[-MOST_BELIEVED:]
            posterior = posterior.with_pending(scorer.features(unfinished)) if len(unfinished) else posterior
        return Surrogate(posterior, seen.points[rows], targets, scorer, expected)

    def _expectation(self, seen: Observations, losses: Array) -> tuple[Expectation | None, float]:
        """What earlier studies expect, and the deviation of what they leave unexplained: the model's unit of loss."""
        found = self._earlier.expectation(seen.points, losses, seen.budgets) if self._earlier else None
        if found is None:
            return None, 1.0
        unit = max(float((standardised(losses) - found(seen.points)).std()), LEAST_UNIT)
        return lambda snapped: found(snapped) / unit, unit

    def _logs(self, scorer: BudgetFeatures, data: Data, losses: Array, is_stable: bool) -> Array:
        """Hyperparameters; where the losses change with each ask there is no chain to follow."""
        prior = Prior(scorer.n_groups)
        if is_stable:
            # A chain for each number of features: the first value at another budget adds the column of budgets.
            chain = self._chains.setdefault(scorer.n_groups > self._space.n_groups, IncrementalFit(prior))
            # A copy, since it is capped below: the next link begins where this fit ended, not at the cap.
            logs = chain.logs(data, losses).copy()
        else:
            # Fitted from the prior at every ask, so with fewer rows and steps than a chain; picked by hand.
            rows = subsampled(losses, 150)
            logs = fit(Data(data.features[rows], data.groups, data.targets[rows]), prior, iterations=25)
        longest = math.log(self._settings.longest) + 0.5 * math.log(max(scorer.n_groups, 1))
        logs[:-2] = np.minimum(logs[:-2], longest)
        return logs
