"""Incremental fits along a growing history: hyperparameters that start where the fit before ended.

The chain is a function of the rows alone. What was fitted is remembered and checked against the rows, so asking twice
is cheap, and a resumed study, which remembers nothing, finds the same hyperparameters.
"""

from typing import NamedTuple

import numpy as np

from pegbox.search.model.gaussian_process import Posterior, Prior, fit
from pegbox.search.model.loss_scaling import Scaling, deviation, standardised
from pegbox.search.model.subsampling import subsampled
from pegbox.search.model.training_data import Data
from pegbox.search.space.axes import Array

# Steps of L-BFGS; a later fit begins near its optimum. Picked by hand.
FIRST_ITERATIONS = 40
NEXT_ITERATIONS = 20
MOST_ROWS = 200
"""Rows that a fit looks at; more tell little about length scales and cost their cube."""


class Fitted(NamedTuple):
    """Hyperparameters, and how well they predict.

    Attributes:
        logs: Their logarithms, shape (n_lengths + N_VARIANCES,).
        log_density: Mean over the better half of the losses, each predicted from all others, in units of the metric;
            densities of different scalings can be compared, since none moves the better half.
    """

    logs: Array
    log_density: float


class _Link(NamedTuple):
    data: Data
    fitted: Fitted


class IncrementalFit:
    """Fits at 4, 5, ..., 30 rows, then each time the rows have grown by a fifteenth; each goes on from that of half.

    From half of the rows and not from the step before, so that a resumed study, which has to walk the whole chain, fits
    eight times for 1,000 rows and not seventy.
    """

    def __init__(self, prior: Prior, scaling: Scaling) -> None:
        self._prior = prior
        self._scaling = scaling
        self._links: dict[int, _Link] = {}

    def fitted(self, data: Data) -> Fitted:
        """The last step of the chain that the rows reach.

        Args:
            data: All rows, in an order in which a history grows; their targets are losses in units of the metric.
        """
        fitted: Fitted | None = None
        for n_rows in chain_to(len(data.targets)):
            link, begun = self._links.get(n_rows), data.rows(slice(n_rows))
            # Each link is a function of its own rows: those that it began from are the first of them.
            if link is None or not _is_same(link.data, begun):
                link = self._links[n_rows] = _Link(begun, self._fit(begun, fitted))
            fitted = link.fitted
        return fitted or Fitted(self._prior.start(), 0.0)

    def _fit(self, data: Data, before: Fitted | None) -> Fitted:
        some = data.rows(subsampled(data.targets, MOST_ROWS))
        kept = some.targets
        unit = deviation(self._scaling(kept))
        step = some.measured(standardised(kept, self._scaling), unit)
        begin, iterations = (None, FIRST_ITERATIONS) if before is None else (before.logs, NEXT_ITERATIONS)
        logs = fit(step, self._prior, begin, iterations)
        # Here and not at every ask: it costs as much as the model itself.
        density = good_log_densities(Posterior(step, logs), kept, unit)
        return Fitted(logs, float(density.mean()))


def good_log_densities(posterior: Posterior, losses: Array, unit: float) -> Array:
    """How well a model predicts the better half of its losses: the log density of each, predicted from all others.

    Args:
        posterior: Of the losses, scaled so that those up to the median keep their distances.
        losses: Of its rows, in units of the metric, shape (n,).
        unit: What 1 of its targets is in units of the metric; so that models of one history can be compared.
    """
    mean, spread = posterior.leave_one_out()
    good = losses <= np.median(losses)
    off = ((posterior.data.targets - mean) / spread)[good]
    # Values that are all the same have no unit, and no model of them is better than another.
    return np.asarray(-0.5 * off * off - np.log(spread[good] * (unit or 1.0)))


def _is_same(left: Data, right: Data) -> bool:
    is_repeated = np.array_equal(left.shares, right.shares)
    return is_repeated and np.array_equal(left.targets, right.targets) and np.array_equal(left.features, right.features)


def chain_to(n_rows: int) -> list[int]:
    """Numbers of rows of the fits that lead to the last step that so many rows reach, from the first on.

    >>> chain_to(100), chain_to(3)
    ([6, 12, 24, 49, 98], [])
    """
    steps = _steps_up_to(n_rows)
    chain: list[int] = []
    while steps:
        chain.append(steps[-1])
        steps = _steps_up_to(steps[-1] // 2)
    return chain[::-1]


def _steps_up_to(n_rows: int) -> list[int]:
    """Numbers of rows at which hyperparameters are fitted.

    >>> _steps_up_to(7)
    [4, 5, 6, 7]
    """
    steps = []
    step = 4
    while step <= n_rows:
        steps.append(step)
        # By a share: fits of long histories are dear, and a few rows more tell them little.
        step += max(step // 15, 1)
    return steps
