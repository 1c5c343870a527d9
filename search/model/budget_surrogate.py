"""Multi-fidelity surrogate: the losses of a history as a Gaussian process over (configuration, budget)."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pegbox.schemas.study import FEW_TRAININGS
from pegbox.search.model.budget_features import BudgetFeatures
from pegbox.search.model.features import FeatureMap
from pegbox.search.model.gaussian_process import N_VARIANCES, Posterior, Prior, fit
from pegbox.search.model.incremental_fit import IncrementalFit, good_log_densities
from pegbox.search.model.loss_scaling import SCALINGS, Scaling, deviation, held, scalarised, standardised
from pegbox.search.model.observations import Observations
from pegbox.search.model.subsampling import subsampled
from pegbox.search.model.training_data import Data
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

Rows = npt.NDArray[np.int64]

EVIDENCE = math.log(2)
"""How much higher the mean log density of the good losses must be for another scaling than for the plain one.

As if each were predicted twice as precisely. Chosen on the development problems: exploding regions bring 0.9 to 12,
other problems mostly below 0.3. Without it small differences decided, and two tasks of LCBench ended at .3 and .4.
"""


class ModelSettings(NamedTuple):
    """What the model believes before it sees data, and how much it looks at."""

    longest: float = 0.75
    """Longest length scale, in units of the square root of the number of dimensions: a model of few points may not
    rule a parameter out. About 2 for 7 dimensions, as it was held in decision 4."""
    most_rows: int = MOST_ROWS
    scalings: tuple[Scaling, ...] = SCALINGS
    """What may be done about losses far above the rest; `held`, the first, is done where there is no choice."""


class Surrogate(NamedTuple):
    """A fitted model.

    Attributes:
        posterior: Of the standardised loss less what earlier studies expect of it, running trials believed.
        seen: Snapped points of the rows, shape (n, n_dims).
        losses: Their standardised losses, shape (n,).
        unit: What 1 of them is in units of the metric.
        scorer: Turns snapped points into features at a budget.
        expected: What earlier studies expect at snapped points, shape (n,); None where there are none.
    """

    posterior: Posterior
    seen: Array
    losses: Array
    unit: float
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


class _Belief(NamedTuple):
    """What earlier studies expect, and the deviation of what they leave unexplained: the model's unit of loss."""

    expected: Expectation | None
    unit: float

    def left(self, standing: Array, points: Array) -> Array:
        """What is left of standardised losses for the model to explain, shape (n,)."""
        scaled = standing / self.unit
        return scaled if self.expected is None else scaled - self.expected(points)


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
        self._chains: dict[tuple[bool, Scaling], IncrementalFit] = {}

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
        model, rows = self._fitted(seen, weights)
        has_rungs = bool(np.any(seen.budgets != self._full))
        if believe_unfinished and has_rungs and weights is None:
            model = self._best_of_rungs(model, seen, rows)
        posterior, scorer = model.posterior, model.scorer
        if len(seen.pending):
            posterior = posterior.with_pending(scorer.features(seen.pending, seen.pending_budgets))
        if believe_unfinished and has_rungs:
            # Else a point whose low rung says little about the full budget would be proposed again and again.
            unfinished = np.vstack([seen.unfinished(self._full), seen.pending])[-MOST_BELIEVED:]
            posterior = posterior.with_pending(scorer.features(unfinished)) if len(unfinished) else posterior
        return model._replace(posterior=posterior)

    def _fitted(self, seen: Observations, weights: Array | None = None) -> tuple[Surrogate, Rows]:
        """The model of what was evaluated, and the rows that it is conditioned on."""
        losses = seen.losses[:, 0] if weights is None else scalarised(seen.losses, weights)
        has_rungs = bool(np.any(seen.budgets != self._full))
        scorer = BudgetFeatures(self._space, self._full, has_rungs)
        rows = subsampled(losses, self._settings.most_rows, scorer.nearness(seen.budgets) if has_rungs else None)
        if weights is None:
            return self._best_taught(scorer, seen, losses, rows), rows
        return self._fitted_anew(scorer, seen, losses, rows, _Belief(None, 1.0)), rows

    def _best_of_rungs(self, model: Surrogate, seen: Observations, rows: Rows) -> Surrogate:
        """The model of the values at the full budget alone, where it predicts the good ones of these better.

        Low rungs are as a past: they show where to look, and may say nothing of what is best there, or mislead.
        """
        whole = np.flatnonzero(seen.budgets >= self._full)
        shared = np.intersect1d(whole, rows)
        # Up to so many whole trainings rungs are ahead; of five or ten the better halves are predicted by luck, and a
        # model of them that took over by it forgot what the rungs had shown.
        if len(shared) < FEW_TRAININGS or len(whole) > self._settings.most_rows:
            return model
        alone, _ = self._fitted(seen.at_rows(whole))
        good = shared[seen.losses[shared, 0] <= np.median(seen.losses[shared, 0])]
        # Without the other rungs of the same trial: that they tell how it ends says nothing of configurations to come.
        by_rungs = model.posterior.log_densities_without(seen.numbers[rows], np.searchsorted(rows, good))
        by_whole = alone.posterior.log_densities_without(whole, np.searchsorted(whole, good))
        gain = (by_whole - np.log(alone.unit or 1.0)) - (by_rungs - np.log(model.unit or 1.0))
        return alone if _is_beyond_error(gain) else model

    def _best_taught(self, scorer: BudgetFeatures, seen: Observations, losses: Array, rows: Rows) -> Surrogate:
        """The model that starts from what earlier studies expect, as long as it predicts good losses no worse."""
        plain = self._best_scaled(scorer, seen, losses, rows)
        belief = self._belief(seen, losses)
        if belief.expected is None:
            return plain
        taught = self._fitted_anew(scorer, seen, losses, rows, belief)
        told = [good_log_densities(model.posterior, losses[rows], model.unit) for model in (plain, taught)]
        # So a past is left when this study's own values say more, be it misleading, or only coarser than they are; but
        # not before they say so beyond their error: of the first few each model predicts one or the other by luck.
        return plain if _is_beyond_error(told[0] - told[1]) else taught

    def _best_scaled(self, scorer: BudgetFeatures, seen: Observations, losses: Array, rows: Rows) -> Surrogate:
        """The model of the scaling under which the better half of the losses is predicted best."""
        features = scorer.features(seen.points, seen.budgets)
        data = Data(features, scorer.groups, losses, seen.repeated())
        fits = [self._chain(scorer, scaling).fitted(data) for scaling in self._settings.scalings]
        handicaps = [0.0] + [EVIDENCE] * (len(fits) - 1)
        # The first of equals, which is the plain one.
        best = max(range(len(fits)), key=lambda number: fits[number].log_density - handicaps[number])
        scaling = self._settings.scalings[best]
        targets, unit = standardised(losses[rows], scaling), deviation(scaling(losses[rows]))
        posterior = Posterior(data.rows(rows).measured(targets, unit), self._capped(fits[best].logs))
        return Surrogate(posterior, seen.points[rows], targets, unit, scorer)

    def _chain(self, scorer: BudgetFeatures, scaling: Scaling) -> IncrementalFit:
        # One for each number of features: the first value at another budget adds the column of budgets.
        key = scorer.n_groups > self._space.n_groups, scaling
        return self._chains.setdefault(key, IncrementalFit(Prior(scorer.n_groups), scaling))

    def _fitted_anew(
        self, scorer: BudgetFeatures, seen: Observations, losses: Array, rows: Rows, belief: "_Belief"
    ) -> Surrogate:
        """The model of losses that change with each ask, by new weights or by what earlier studies expect."""
        data = Data(scorer.features(seen.points, seen.budgets), scorer.groups, losses, seen.repeated())
        # From the prior at every ask, so with fewer rows and steps than a chain; picked by hand.
        some = subsampled(losses, 150)
        targets = belief.left(standardised(losses), seen.points)[some]
        unit = belief.unit * deviation(held(losses))
        logs = fit(data.rows(some).measured(targets, unit), Prior(scorer.n_groups), iterations=25)
        standing, unit = standardised(losses[rows]), belief.unit * deviation(held(losses[rows]))
        left = data.rows(rows).measured(belief.left(standing, seen.points[rows]), unit)
        posterior = Posterior(left, self._capped(logs))
        return Surrogate(posterior, seen.points[rows], standing / belief.unit, unit, scorer, belief.expected)

    def _belief(self, seen: Observations, losses: Array) -> "_Belief":
        found = self._earlier.expectation(seen.points, losses, seen.budgets) if self._earlier else None
        if found is None:
            return _Belief(None, 1.0)
        unit = max(float((standardised(losses) - found(seen.points)).std()), LEAST_UNIT)
        return _Belief(lambda snapped: found(snapped) / unit, unit)

    def _capped(self, logs: Array) -> Array:
        """The hyperparameters, no length scale beyond the longest; a copy, since a chain goes on from the uncapped."""
        n_lengths = len(logs) - N_VARIANCES
        longest = math.log(self._settings.longest) + 0.5 * math.log(max(n_lengths, 1))
        return np.append(np.minimum(logs[:n_lengths], longest), logs[n_lengths:])


def _is_beyond_error(gains: Array) -> bool:
    """True if the mean of gains is larger than its standard error."""
    return bool(gains.mean() > gains.std() / len(gains) ** 0.5)
