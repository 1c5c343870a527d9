"""Losses as targets of a model: scalarised (ParEGO), standardised, outliers winsorised or pressed; order is kept."""

from collections.abc import Callable

import numpy as np

from pegbox.search.space.axes import Array

Scaling = Callable[[Array], Array]
"""Losses to losses in the same units, shape (n,): those up to the median stay, those above may be moved towards it."""

REACH = 12.0
"""Losses further above the median than so many times its distance from the best are no matter of degree any more.

Picked by hand: ordinary bad trials keep their distances, and a diverged one cannot take all of the variance. Ranks, and
the logarithm of bad losses, were no better (decision 4).
"""


def held(losses: Array) -> Array:
    """Losses with those out of reach put beside the worst within it; shape (n,).

    A diverged loss of 1e30 would leave all others equal, and so would a few that are held where the reach ends
    (decision 19).
    """
    median, spread = _spread(losses)
    far = losses > median + REACH * spread
    return np.asarray(np.where(far, losses[~far].max(), losses) if 0 < spread < np.inf else losses)


def held_wide(losses: Array) -> Array:
    """Losses with the worst held at the reach of the wider half, in order; shape (n,).

    For what one study tells another. A search that has converged is all near its best: what lies beyond its better
    half is what it knows of the rest of the space.
    """
    median, below = _spread(losses)
    spread = max(below, float(np.quantile(losses, 0.75)) - median)
    return np.asarray(np.minimum(losses, median + REACH * spread) if 0 < spread < np.inf else losses)


def pressed(losses: Array) -> Array:
    """Losses above the median pressed into as much room as those below it have; shape (n,).

    Where a third of the space explodes it does not matter by how much, and any distance that is left would make the
    good ones equal. x / (1 + x) has slope 1 at the median, so that nothing breaks there, and ends at 1.
    """
    median, room = _spread(losses)
    if not 0 < room < np.inf:
        return losses
    with np.errstate(over="ignore"):  # a distance of infinitely many rooms is pressed into one as well
        away = np.maximum(losses - median, 0.0) / room
    return np.asarray(np.where(losses > median, median + room * (1 - 1 / (1 + away)), losses))


SCALINGS: tuple[Scaling, ...] = (held, pressed)
"""Between which the model chooses by how well it predicts good values."""


def standardised(losses: Array, scaling: Scaling = held) -> Array:
    """Scaled losses with mean 0 and deviation 1, shape (n,)."""
    scaled = scaling(losses)
    unit = deviation(scaled)
    return np.asarray((scaled - scaled.mean()) / unit if unit > 0 else np.zeros_like(losses))


def deviation(losses: Array) -> float:
    """Standard deviation; 0 where none can be told."""
    centred = losses - losses.mean()
    # Squares of losses near the largest double overflow: no deviation can be told then, as among equal ones.
    with np.errstate(over="ignore"):
        found = float(np.sqrt(np.mean(centred * centred)))
    return found if np.isfinite(found) else 0.0


def _spread(losses: Array) -> tuple[float, float]:
    """The median, and its distance from the best; from the third quartile where half of the losses are the same."""
    median = np.median(losses)
    # By the better half alone: the quarter above it may have exploded.
    return float(median), float((median - losses.min()) or np.quantile(losses, 0.75) - median)


def scalarised(losses: Array, weights: Array) -> Array:
    """Several losses as one: the augmented Chebyshev distance from the best of each, shape (n,).

    Args:
        losses: Shape (n, n_objectives).
        weights: Of the objectives, shape (n_objectives,), summing to 1.

    Source: Knowles 2006, equation 2 (ParEGO).
    """
    low, below = losses.min(axis=0), np.median(losses, axis=0) - losses.min(axis=0)
    # Each by its own better half, before they are added up: an objective that explodes in a third of the space would
    # hide its own good values, and in the sum those of the others.
    losses = np.minimum(losses, np.where(below > 0, low + (1 + REACH) * below, np.inf))
    # Not to the worst: one diverged trial would press all others of its objective together.
    span = np.quantile(losses, 0.9, axis=0) - low
    scaled = (losses - low) / np.where(span > 0, span, 1.0) * weights
    # 0.05 is Knowles' rho: of points that share the largest term, the one that is better in the others wins.
    return np.asarray(scaled.max(axis=1) + 0.05 * scaled.sum(axis=1))
