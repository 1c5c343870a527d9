"""Warm start: what earlier studies say, a mean to start from as far as the new values confirm it.

Studies that do not explain the new values lose their weight, so a misleading past costs a few first trials at most. How
long the past is the better start is judged where models are built, by what they predict of the new values.
"""

from collections.abc import Callable, Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt

from pegbox.schemas.base import Configuration
from pegbox.schemas.history import History
from pegbox.search.model.acquisition_optimiser import AcquisitionOptimiser, Effort
from pegbox.search.model.budget_features import BudgetFeatures
from pegbox.search.model.features import FeatureMap
from pegbox.search.model.gaussian_process import Posterior, Prior, fit
from pegbox.search.model.loss_scaling import deviation, held_wide, standardised
from pegbox.search.model.observations import Observer
from pegbox.search.model.subsampling import subsampled
from pegbox.search.model.training_data import Data
from pegbox.search.space.axes import Array
from pegbox.search.space.encoding import SpaceEncoding
from pegbox.search.warm_start_sources import FEWEST_TRIALS

MOST_ROWS = 150
"""Of each earlier study; there may be sixteen, and each is fitted before the first decision. Picked by hand."""
N_RECOMMENDED = 4
"""Three, five and eight in a row reached .064, .047 and .092 at 25 trials on LCBench; four since every third point
between them is the sequence's own, which shows a past that misleads."""
N_BEST = 10
"""Points that each study has seen from which the recommended ones are taken."""
N_IMPROVED = 4
"""Points beside them that its surrogate takes for the best: few studies end with having tried those. They cut the
regret of the first three trials by half on LCBench."""
# Half of the usual effort: a mean has no narrow peaks as an acquisition has, and each study has its own.
EFFORT = Effort(n_uniform=256, n_near=64)
PRIOR_ROWS = 2.0
"""How many values the belief is worth that losses differ as much as they did before. Picked by hand: with less,
the first two or three values would turn the past off by chance."""
Expectation = Callable[[Array], Array]
"""Snapped points to losses, in deviations of the new study's losses, around the mean of its points."""


class WarmStartMean:
    """The surrogates of earlier studies over the new space.

    Source: Feurer et al. 2018 (RGPE) for the weights by ranking; Wistuba et al. 2015 for the portfolio of first points.
    """

    def __init__(self, encoding: SpaceEncoding, earlier: Sequence[History]) -> None:
        self._ascent = AcquisitionOptimiser(encoding)
        sources = [_Source.of(encoding, history) for history in earlier]
        self._sources = [source for source in sources if source is not None]

    @property
    def is_empty(self) -> bool:
        """True where no earlier study has enough to say."""
        return not self._sources

    def recommended(self, count: int = N_RECOMMENDED) -> Array:
        """Points that are together good for all earlier studies, the most useful first, shape (count, n_dims)."""
        pool = np.vstack([candidates for source in self._sources for candidates in self._candidates(source)])
        if not len(pool):
            return np.asarray(pool)
        means = self._means(pool)
        excess = means - means.min(axis=1, keepdims=True)
        chosen: list[int] = []
        reached = np.full(len(means), np.inf)
        for _ in range(min(count, len(pool))):
            gains = np.minimum(reached[:, None], excess).mean(axis=0)
            gains[chosen] = np.inf
            chosen.append(int(np.argmin(gains)))
            reached = np.minimum(reached, excess[:, chosen[-1]])
        return np.asarray(pool[chosen])

    def _candidates(self, source: "_Source") -> tuple[Array, Array]:
        """The best points that a study has seen, and those that its surrogate takes for the best.

        The surrogate knows nothing of limits, so that of a study that has some only seen points are taken.
        """
        seen = source.best(N_BEST)
        if source.is_limited:
            return seen, seen[:0]
        # Fixed: the recommended points are the study's first trials, whichever decision asks for them.
        rng = np.random.default_rng(0)
        improved = self._ascent.maximise(lambda points: -source.mean(points), seen[:N_IMPROVED], rng, EFFORT)
        return seen, np.array(list(islice(improved, N_IMPROVED)))

    def expectation(self, points: Array, losses: Array, budgets: Array) -> Expectation | None:
        """What the studies together expect; None where they explain nothing of the new values.

        Args:
            points: Snapped points that the new study has seen, shape (n, n_dims).
            losses: Its losses there, shape (n,).
            budgets: Where they were measured, shape (n,); losses are compared with those of their own budget only.
        """
        means = self._means(points)
        shares = confirmed(means, losses, budgets)
        slope = trust(_centred(shares @ means, budgets), _centred(standardised(losses, held_wide), budgets))
        believed = np.flatnonzero(shares)
        if not len(believed) or not slope:
            return None
        weights, centre = slope * shares[believed], slope * float((shares @ means).mean())
        return lambda snapped: np.asarray(weights @ self._means(snapped, believed) - centre)

    def _means(self, points: Array, asked: Sequence[int] | npt.NDArray[np.int64] | None = None) -> Array:
        """The studies' means at their full budgets, in deviations of their losses, shape (n_studies, n)."""
        numbers = range(len(self._sources)) if asked is None else asked
        return np.array([self._sources[number].mean(points) for number in numbers])


def confirmed(means: Array, losses: Array, budgets: Array) -> Array:
    """How well each study ranks the new values: shares of the studies, shape (n_studies,), summing to 1.

    Only pairs count of which one is in the better half: which of two bad configurations is worse is of no use. All
    shares are 0 where none ranks better than chance; a study that is no better has no share however little the values
    differ, so that a search which stays where a wrong past led it learns that it is wrong.

    Args:
        means: Each study's mean at the seen points, shape (n_studies, n).
        losses: The new losses there, shape (n,).
        budgets: Where they were measured, shape (n,); values of different budgets are not compared.

    Source: Feurer et al. 2018 (RGPE) for the ranking.
    """
    left, right = np.triu_indices(len(losses), 1)
    is_good = _better_half(losses, budgets)
    is_telling = (is_good[left] | is_good[right]) & (budgets[left] == budgets[right]) & (losses[left] != losses[right])
    left, right = left[is_telling], right[is_telling]
    if not len(left):
        return np.full(len(means), 1 / len(means))
    order = np.sign(losses[left] - losses[right])
    wrong = np.mean(np.sign(means[:, left] - means[:, right]) != order, axis=1)
    # 0.5 is chance. Cubed, so that a study that ranks well is not averaged away by many that rank a little; by hand.
    shares = np.maximum(0.5 - wrong, 0.0) ** 3
    return np.asarray(shares / shares.sum()) if shares.any() else shares


def _better_half(losses: Array, budgets: Array) -> npt.NDArray[np.bool_]:
    """Which losses are at most the median of their budget, shape (n,)."""
    is_good = np.zeros(len(losses), dtype=bool)
    for budget in np.unique(budgets):
        members = budgets == budget
        is_good[members] = losses[members] <= np.median(losses[members])
    return is_good


def trust(means: Array, targets: Array) -> float:
    """How much of an earlier mean the new values confirm: a slope in [0, 1.5], drawn towards 1 while they are few.

    Args:
        means: The earlier studies' mean at the seen points, centred, shape (n,).
        targets: The new standardised losses there, centred, shape (n,).
    """
    # Ridge regression towards a slope of 1. Never below 0: a past turned round is no knowledge. 1.5 by hand.
    return float(np.clip((means @ targets + PRIOR_ROWS) / (means @ means + PRIOR_ROWS), 0.0, 1.5))


def _centred(values: Array, groups: Array) -> Array:
    """Values less the mean of their group, along the last axis."""
    centred = values.copy()
    for group in np.unique(groups):
        members = groups == group
        centred[..., members] -= values[..., members].mean(axis=-1, keepdims=True)
    return centred


class _Source:
    """The surrogate of one earlier study."""

    def __init__(self, features: BudgetFeatures, points: Array, posterior: Posterior, *, is_limited: bool) -> None:
        """What it learnt.

        Args:
            points: Those that it has seen and that keep its constraints, shape (n, n_dims).
            posterior: Of all that it has seen.
            is_limited: True where it has constraints.
        """
        self._features, self._points, self._posterior = features, points, posterior
        self.is_limited = is_limited

    @classmethod
    def of(cls, encoding: SpaceEncoding, history: History) -> "_Source | None":
        """The surrogate of a study; None where too little of it lies in the new space."""
        seen = Observer(encoding).observe(_within(encoding, history))
        full = float(history.spec.full_budget)
        if np.sum(seen.budgets >= full) < FEWEST_TRIALS:
            return None
        features = BudgetFeatures(FeatureMap(encoding), full, has_rungs=bool(np.any(seen.budgets < full)))
        losses = seen.losses[:, 0]
        rows = subsampled(losses, MOST_ROWS, features.nearness(seen.budgets))
        targets, unit = standardised(losses[rows], held_wide), deviation(held_wide(losses[rows]))
        measured = Data(features.features(seen.points, seen.budgets), features.groups, losses, seen.repeated())
        data = measured.rows(rows).measured(targets, unit)
        posterior = Posterior(data, fit(data, Prior(features.n_groups)))
        kept = seen.points[rows][seen.keeps[rows]]
        return cls(features, kept, posterior, is_limited=bool(history.spec.constraints))

    def mean(self, points: Array) -> Array:
        """Posterior mean at the full budget, in deviations of the study's losses, shape (n,)."""
        return self._posterior.mean(self._features.features(points))

    def best(self, count: int) -> Array:
        """The seen points within the limits of lowest posterior mean at the full budget, shape (count, n_dims)."""
        if not len(self._points):
            return self._points
        points = np.unique(np.nan_to_num(self._points, nan=-1.0), axis=0, return_index=True)[1]
        means = self.mean(self._points[points])
        return np.asarray(self._points[points[np.argsort(means, kind="stable")[:count]]])


def _within(encoding: SpaceEncoding, history: History) -> History:
    """The trials of an earlier study that lie in the new space, with the parameters that both have."""
    moved = ((trial, _overlap(encoding, trial.configuration)) for trial in history.trials)
    trials = tuple(
        trial.model_copy(update={"configuration": configuration}) for trial, configuration in moved if configuration
    )
    return History(spec=history.spec, trials=trials)


def _overlap(encoding: SpaceEncoding, configuration: Configuration) -> Configuration | None:
    """The part of an earlier configuration that the new space holds; None where a shared value lies outside of it."""
    domains = encoding.space.parameters
    shared = {name: value for name, value in configuration.items() if name in domains}
    fits = all(domains[name].contains(value) for name, value in shared.items())
    return shared if fits and shared else None
