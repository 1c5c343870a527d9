"""Cost-aware acquisition: expected improvement for what it costs, the cost learnt from trials that were trained."""

import numpy as np

from pegbox.schemas.history import History
from pegbox.schemas.trial import Trial
from pegbox.schemas.trials_by_state import CompletedTrials
from pegbox.search.model.acquisition_optimiser import Score
from pegbox.search.model.features import FeatureMap
from pegbox.search.model.gaussian_process import Posterior, Prior, fit
from pegbox.search.model.training_data import Data
from pegbox.search.space.encoding import SpaceEncoding

SECONDS = "seconds"
"""Names the training time, where any other name is that of a metric."""
FEWEST_TRIALS = 3
"""As many as the model of the losses needs; with fewer, the cost of the first would decide by itself."""
MOST_TRIALS = 200
"""The latest; the model is fitted anew at every ask, by the cube of them. Picked by hand, as for constraints."""


class CostModel:
    """Divides an acquisition by the expected cost, raised to the share of the budget that is left.

    Cheap configurations are explored first; at the end only the improvement counts, else a dear optimum would never be
    tried.

    Source: Lee et al. 2020 (CArBO, cost-cooling).
    """

    def __init__(self, encoding: SpaceEncoding, cost: str) -> None:
        self._encoding, self._cost = encoding, cost
        self._features = FeatureMap(encoding)

    def log_weight(self, history: History) -> Score:
        """What is added to the logarithm of an acquisition; nothing while too few costs are known."""
        known = self._costs(history.completed)
        if len(known) < FEWEST_TRIALS:
            return lambda points: np.zeros(len(points))
        points = np.array([self._encoding.encode(trial.configuration) for trial, _ in known[-MOST_TRIALS:]])
        # Costs multiply (twice the width, twice the time), and a logarithm never predicts one below zero.
        logs = np.log([cost for _, cost in known[-MOST_TRIALS:]])
        spread = float(logs.std()) or 1.0
        features = self._features.features(self._encoding.snap(points))
        data = Data(features, self._features.groups, (logs - logs.mean()) / spread)
        posterior = Posterior(data, fit(data, Prior(self._features.n_groups), iterations=25))
        # Times the spread, because the model speaks in deviations: the product is the logarithm of the cost again.
        exponent = share_left(history) * spread
        return lambda points: -exponent * posterior.mean(self._features.features(points))

    def _costs(self, completed: CompletedTrials) -> list[tuple[Trial, float]]:
        """Those whose cost is known; of a trial that is still trained it would be that of a part."""
        return [(trial, cost) for trial in completed if (cost := self._cost_of(trial)) is not None and cost > 0]

    def _cost_of(self, trial: Trial) -> float | None:
        return trial.evaluations[-1].seconds if self._cost == SECONDS else trial.value(self._cost)


def share_left(history: History) -> float:
    """Of the budget's trials, time or cost, whichever is nearest to its end; 1 where none of them is limited."""
    budget = history.spec.budget
    spent = [
        len(history.trials) / budget.trials if budget.trials else 0.0,
        history.elapsed_seconds / budget.search_seconds if budget.search_seconds else 0.0,
        sum(trial.value("cost") or 0.0 for trial in history.trials) / budget.cost if budget.cost else 0.0,
    ]
    return max(1.0 - max(spent), 0.0)
