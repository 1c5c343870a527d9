"""How much of the finalists' losses is the choice of the rows that they were measured on; draws no conclusion."""

from collections.abc import Mapping

import numpy as np

from pegbox.analysis.paired_comparison import TrialLosses, spread_over_rows
from pegbox.schemas.selection import RowNoise


def row_noise(finalists: Mapping[int, TrialLosses]) -> RowNoise | None:
    """The covariance of the finalists' mean losses over draws of the rows.

    Of n rows with the losses L (each a mean over the seeds) it is cov(L) / n; finalists that were measured on the same
    rows share what is hard about them, so that their difference is known better than either.

    Args:
        finalists: The number of a trial to what it lost.

    Returns:
        None where the losses of one of them are not known row by row, or where they were measured on different rows.
    """
    measured = [tuple(losses.rows.values()) for losses in finalists.values()]
    data = {one.data for rows in measured for one in rows}
    if len(data) != 1 or not all(measured):
        return None
    losses = np.array([np.mean([one.values for one in rows], axis=0) for rows in measured])
    n_values = losses.shape[1]
    if n_values < 2:
        return None
    covariance = np.atleast_2d(np.cov(losses)) / n_values
    # What `spread_over_rows` adds, so that no error among few rows is no certainty. It is added to all alike: it says
    # nothing of which of them is better.
    least = np.sqrt(
        [
            max(spread_over_rows(one) / n_values - own, 0.0)
            for one, own in zip(losses, covariance.diagonal(), strict=True)
        ]
    )
    covariance = covariance + np.outer(least, least)
    return RowNoise(
        trials=tuple(finalists), n_rows=measured[0][0].n_rows, covariance=tuple(map(tuple, covariance.tolist()))
    )
