"""What earlier studies say about a new one: a mean to start from, weighted by how well they rank the new values.

A study that ranks them no better than chance has no weight, so a misleading past costs a few first trials at most.
"""

from collections.abc import Sequence

import numpy as np

from pegbox.schemas.base import Configuration
from pegbox.schemas.history import History
from pegbox.search.axes import Array
from pegbox.search.earlier import FEWEST_TRIALS
from pegbox.search.encoding import SpaceEncoding
from pegbox.search.features import FeatureMap
from pegbox.search.gaussian_process import Data, Posterior, Prior, fit
from pegbox.search.losses import standardised
from pegbox.search.objectives import losses_of
from pegbox.search.thinning import thinned

MOST_TRIALS = 150
MOST_STUDIES = 8
"""Studies that share the weight."""
N_RECOMMENDED = 3


class EarlierStudies:
    """The surrogates of earlier studies over the new space.

    Source: Feurer et al. 2018 (RGPE) for the ranking weights; Wistuba et al. 2015 for the portfolio of first points.
    """

    def __init__(self, encoding: SpaceEncoding, earlier: Sequence[History]) -> None:
        self._features = FeatureMap(encoding)
        tables = [_table(encoding, history) for history in earlier]
        self._tables = [table for table in tables if len(table[1]) >= FEWEST_TRIALS]
        self._models = [self._model(points, losses) for points, losses in self._tables]

    @property
    def is_empty(self) -> bool:
        """True where no earlier study has enough to say."""
        return not self._models

    def recommended(self, count: int = N_RECOMMENDED) -> Array:
        """Points that are together good for all earlier studies, the most useful first, shape (count, n_dims)."""
        pool = np.vstack([points[np.argsort(losses)[:10]] for points, losses in self._tables])
        means = np.array([model.mean(self._features.features(pool)) for model in self._models])
        excess = means - means.min(axis=1, keepdims=True)
        chosen: list[int] = []
        reached = np.full(len(self._models), np.inf)
        for _ in range(min(count, len(pool))):
            gains = np.minimum(reached[:, None], excess).mean(axis=0)
            gains[chosen] = np.inf
            chosen.append(int(np.argmin(gains)))
            reached = np.minimum(reached, excess[:, chosen[-1]])
        return np.asarray(pool[chosen])

    def mean(self, points: Array, weights: Array) -> Array:
        """The weighted mean of the surrogates, in deviations of each study's losses, shape (n,)."""
        features = self._features.features(points)
        total = np.zeros(len(points))
        for model, weight in zip(self._models, weights, strict=True):
            if weight > 0:
                total += weight * model.mean(features)
        return total

    def weights(self, points: Array, losses: Array) -> Array:
        """Weight of each study, shape (n_studies,), by the pairs of new values that it ranks rightly.

        All are 0 where none ranks better than chance. Before there are three values all studies count the same.
        """
        n_studies = len(self._models)
        if len(losses) < 3:
            return np.full(n_studies, 1 / n_studies)
        left, right = np.triu_indices(len(losses), 1)
        order = np.sign(losses[left] - losses[right])
        features = self._features.features(points)
        means = [model.mean(features) for model in self._models]
        wrong = np.array([np.mean(np.sign(mean[left] - mean[right]) != order) for mean in means])
        raw = np.maximum(0.5 - wrong, 0.0) ** 3
        raw[np.argsort(-raw, kind="stable")[MOST_STUDIES:]] = 0.0
        return np.asarray(raw / raw.sum()) if raw.sum() > 0 else raw

    def _model(self, points: Array, losses: Array) -> Posterior:
        rows = thinned(losses, MOST_TRIALS)
        targets = standardised(losses[rows])
        data = Data(self._features.features(points[rows]), self._features.groups, targets)
        return Posterior(data, fit(data, Prior(self._features.n_groups)))


def trust(mean: Array, targets: Array) -> float:
    """How much of an earlier mean the new values confirm: a slope in [0, 1.5], drawn towards 1 while they are few.

    Args:
        mean: The earlier studies' mean at the seen points, shape (n,).
        targets: The new standardised losses there, shape (n,).
    """
    centred = mean - mean.mean()
    return float(np.clip((centred @ targets + 2.0) / (centred @ centred + 2.0), 0.0, 1.5))


def _table(encoding: SpaceEncoding, history: History) -> tuple[Array, Array]:
    """Completed trials of an earlier study in the new space: points (n, n_dims) and losses (n,)."""
    points, losses = [], []
    for trial in history.completed:
        values = losses_of(trial, history.objectives)
        configuration = _overlap(encoding, trial.configuration)
        if values is not None and configuration is not None:
            points.append(encoding.encode(configuration))
            losses.append(values[0])
    stacked = np.array(points).reshape(-1, encoding.n_dims)
    return encoding.snap(stacked), np.array(losses)


def _overlap(encoding: SpaceEncoding, configuration: Configuration) -> Configuration | None:
    """The part of an earlier configuration that the new space holds; None where a shared value lies outside of it."""
    domains = encoding.space.parameters
    shared = {name: value for name, value in configuration.items() if name in domains}
    fits = all(domains[name].contains(value) for name, value in shared.items())
    return shared if fits and shared else None
