"""Incremental fits along a growing history: hyperparameters that start where the fit before ended.

The chain is a function of the rows alone. What was fitted is remembered and checked against the rows, so asking twice
is cheap, and a resumed study, which remembers nothing, finds the same hyperparameters.
"""

from typing import NamedTuple

import numpy as np

from pegbox.search.model.gaussian_process import Data, Posterior, Prior, fit
from pegbox.search.model.loss_scaling import Scaling, deviation, standardised
from pegbox.search.model.subsampling import subsampled
from pegbox.search.space.axes import Array

# Steps of L-BFGS. A later fit begins near its optimum, and the fit after it goes on from there; picked by hand.
FIRST_ITERATIONS = 40
NEXT_ITERATIONS = 12
MOST_ROWS = 200
"""Rows that a fit looks at; more tell little about length scales and cost their cube."""


class Fitted(NamedTuple):
    """Hyperparameters, and how well they predict.

    Attributes:
        logs: Their logarithms, shape (n_lengths + 2,).
        log_density: Mean over the better half of the losses, each predicted from all others, in units of the metric;
            densities of different scalings can be compared, since none moves the better half.
    """

    logs: Array
    log_density: float


class _Link(NamedTuple):
    features: Array
    losses: Array
    fitted: Fitted


class IncrementalFit:
    """Fits at 4, 5, ..., 30 rows, then each time the rows have grown by a fifteenth."""

    def __init__(self, prior: Prior, scaling: Scaling) -> None:
        self._prior = prior
        self._scaling = scaling
        self._links: list[_Link] = []

    def fitted(self, data: Data, losses: Array) -> Fitted:
        """The last step of the chain that the rows reach.

        Args:
            data: All rows, in an order in which a history grows.
            losses: Their losses in units of the metric, shape (n,).
        """
        fitted: Fitted | None = None
        for position, n_rows in enumerate(steps_up_to(len(losses))):
            features, values = data.features[:n_rows], losses[:n_rows]
            if not self._is_known(position, features, values):
                # All links after one that changed began from it, directly or not.
                del self._links[position:]
                self._links.append(_Link(features, values, self._fit(features, data, values, fitted)))
            fitted = self._links[position].fitted
        return fitted or Fitted(self._prior.start(), 0.0)

    def _fit(self, features: Array, data: Data, losses: Array, before: Fitted | None) -> Fitted:
        rows = subsampled(losses, MOST_ROWS)
        kept = losses[rows]
        step = Data(features[rows], data.groups, standardised(kept, self._scaling))
        begin, iterations = (None, FIRST_ITERATIONS) if before is None else (before.logs, NEXT_ITERATIONS)
        logs = fit(step, self._prior, begin, iterations)
        # Here and not at every ask: it costs as much as the model itself.
        mean, spread = Posterior(step, logs).leave_one_out()
        good = kept <= np.median(kept)
        off = ((step.targets - mean) / spread)[good]
        # Values that are all the same have no unit, and no scaling is better than another.
        unit = deviation(self._scaling(kept)) or 1.0
        return Fitted(logs, float(np.mean(-0.5 * off * off - np.log(spread[good] * unit))))

    def _is_known(self, position: int, features: Array, losses: Array) -> bool:
        if position >= len(self._links):
            return False
        link = self._links[position]
        return np.array_equal(link.losses, losses) and np.array_equal(link.features, features)


def steps_up_to(n_rows: int) -> list[int]:
    """Numbers of rows at which the chain has a link.

    >>> steps_up_to(7)
    [4, 5, 6, 7]
    """
    steps = []
    step = 4
    while step <= n_rows:
        steps.append(step)
        # By a share, so that a resumed study, which has to walk the whole chain, fits some 90 times for 2,000 rows.
        step += max(step // 15, 1)
    return steps
