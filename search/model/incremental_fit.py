"""Incremental fits along a growing history: hyperparameters that start where the fit before ended.

The chain is a function of the rows alone. What was fitted is remembered and checked against the rows, so asking twice
is cheap, and a resumed study, which remembers nothing, finds the same hyperparameters.
"""

from typing import NamedTuple

import numpy as np

from pegbox.search.model.gaussian_process import Data, Prior, fit
from pegbox.search.model.loss_scaling import standardised
from pegbox.search.model.subsampling import subsampled
from pegbox.search.space.axes import Array

# Steps of L-BFGS. A later fit begins near its optimum, and the fit after it goes on from there; picked by hand.
FIRST_ITERATIONS = 40
NEXT_ITERATIONS = 12
MOST_ROWS = 200
"""Rows that a fit looks at; more tell little about length scales and cost their cube."""


class _Link(NamedTuple):
    features: Array
    losses: Array
    logs: Array


class IncrementalFit:
    """Fits at 4, 5, ..., 30 rows, then each time the rows have grown by a fifteenth."""

    def __init__(self, prior: Prior) -> None:
        self._prior = prior
        self._links: list[_Link] = []

    def logs(self, data: Data, losses: Array) -> Array:
        """Logarithms of the hyperparameters at the last step of the chain that the rows reach.

        Args:
            data: All rows, in an order in which a history grows.
            losses: Their losses in units of the metric, shape (n,).
        """
        logs: Array | None = None
        for position, n_rows in enumerate(steps_up_to(len(losses))):
            features, values = data.features[:n_rows], losses[:n_rows]
            if not self._is_known(position, features, values):
                # All links after one that changed began from it, directly or not.
                del self._links[position:]
                rows = subsampled(values, MOST_ROWS)
                step = Data(features[rows], data.groups, standardised(values[rows]))
                iterations = FIRST_ITERATIONS if logs is None else NEXT_ITERATIONS
                self._links.append(_Link(features, values, fit(step, self._prior, logs, iterations)))
            logs = self._links[position].logs
        return self._prior.start() if logs is None else logs

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
