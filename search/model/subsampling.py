"""Subsampling of a long history for a model: the best rows, and a random sample of the rest.

The best, because the search looks among them; the sample, because a model of good points alone believes that all else
is as good.
"""

import numpy as np
import numpy.typing as npt

from pegbox.search.space.axes import Array


def subsampled(losses: Array, most: int, nearness: Array | None = None) -> npt.NDArray[np.int64]:
    """Row numbers in rising order, at most `most` of them; the sample is fixed by the number of rows.

    Args:
        losses: Shape (n,).
        most: How many rows may stay.
        nearness: Of each row's budget to the full budget, from 0 to 1, shape (n,); near ones are kept first.
    """
    n = len(losses)
    if n <= most:
        return np.arange(n)
    rank = np.argsort(np.argsort(losses, kind="stable")) / n
    # Above 1, the whole range of ranks: any row at the full budget comes before all of one epoch. Picked by hand.
    order = np.argsort(rank if nearness is None else rank - 1.2 * nearness, kind="stable")
    rest = np.random.default_rng(n).choice(order[most // 2 :], most - most // 2, replace=False)
    return np.sort(np.concatenate([order[: most // 2], rest]))
