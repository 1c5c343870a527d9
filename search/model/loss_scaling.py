"""Losses as the targets of a model: scalarised (ParEGO), standardised, outliers winsorised; order is kept."""

import numpy as np

from pegbox.search.space.axes import Array

REACH = 12.0
"""Losses further above the median than so many times its distance from the best are held there.

Picked by hand: ordinary bad trials keep their distances, and a diverged one cannot take all of the variance. Ranks, and
the logarithm of bad losses, were no better (decision 4).
"""


def standardised(losses: Array) -> Array:
    """Losses, the worst of them held, with mean 0 and deviation 1, shape (n,)."""
    kept = held(losses)
    centred = kept - kept.mean()
    deviation = np.sqrt(np.mean(centred * centred))
    # Squares of losses near the largest double overflow: no deviation can be told then, as among equal ones.
    return np.asarray(centred / deviation if deviation > 0 and np.isfinite(deviation) else np.zeros_like(losses))


def held(losses: Array) -> Array:
    """Losses with the worst held behind the rest: a diverged loss of 1e30 would leave all others equal; shape (n,)."""
    best, median = losses.min(), np.median(losses)
    # The larger of two, since either is 0 where half, or a quarter, of the losses are the same.
    spread = max(median - best, np.quantile(losses, 0.75) - median)
    return np.asarray(np.minimum(losses, median + REACH * spread) if spread > 0 else losses)


def scalarised(losses: Array, weights: Array) -> Array:
    """Several losses as one: the augmented Chebyshev distance from the best of each, shape (n,).

    Args:
        losses: Shape (n, n_objectives).
        weights: Of the objectives, shape (n_objectives,), summing to 1.

    Source: Knowles 2006, equation 2 (ParEGO).
    """
    low = losses.min(axis=0)
    # Not to the worst: one diverged trial would press all others of its objective together.
    span = np.quantile(losses, 0.9, axis=0) - low
    scaled = (losses - low) / np.where(span > 0, span, 1.0) * weights
    # 0.05 is Knowles' rho: of points that share the largest term, the one that is better in the others wins.
    return np.asarray(scaled.max(axis=1) + 0.05 * scaled.sum(axis=1))
