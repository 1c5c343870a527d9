"""Density model: where good configurations lie more densely than others; a second opinion beside the process.

It knows nothing of smoothness, and so is not misled by it where a loss has many local optima.

Source: Bergstra et al. 2011, section 4 (tree-structured Parzen estimator).
"""

import math
from functools import partial

import numpy as np

from pegbox.search.model.gaussian_process import Posterior
from pegbox.search.space.axes import Array, Axis, cell_of
from pegbox.search.space.encoding import SpaceEncoding

GOOD_SHARE = 0.1
MOST_GOOD = 25
"""Of the configurations the best tenth and one more, and no more than so many, are good: about Optuna's numbers."""
LATEST = 12
"""Values by which it is judged: the last ones, since what a model predicts changes as the search closes in."""
N_DRAWN = 64
"""Points that it is asked for, of which one is taken. Few: the highest ratio of all lies where nobody has been."""


class DensityModel:
    """The ratio of two densities, that of good configurations to that of the rest; each a product over parameters."""

    def __init__(self, encoding: SpaceEncoding, points: Array, losses: Array) -> None:
        """What was seen.

        Args:
            points: Snapped, shape (n, n_dims), NaN where a parameter is inactive; n of 4 or more.
            losses: Shape (n,).
        """
        order = np.argsort(losses, kind="stable")
        n_good = min(math.ceil(GOOD_SHARE * len(losses)) + 1, MOST_GOOD)
        self._encoding = encoding
        self._good, self._rest = points[order[:n_good]], points[order[n_good:]]

    def log_ratio(self, points: Array) -> Array:
        """How much more densely good configurations lie at snapped points, shape (n,)."""
        columns = zip(self._encoding.axes, self._good.T, self._rest.T, points.T, strict=True)
        total = np.zeros(len(points))
        for axis, good, rest, units in columns:
            total += _log_density(axis, good, units) - _log_density(axis, rest, units)
        return total

    def drawn(self, rng: np.random.Generator) -> Array:
        """Allowed points drawn from the density of the good ones, snapped, shape (n, n_dims)."""
        columns = [_drawn(axis, good, rng) for axis, good in zip(self._encoding.axes, self._good.T, strict=True)]
        points = self._encoding.snap(np.column_stack(columns))
        return np.asarray(points[self._encoding.allowed(points)])


def second_opinion(encoding: SpaceEncoding, points: Array, losses: Array, posterior: Posterior) -> DensityModel | None:
    """The density model where it ranked the latest losses no worse than the process, each by all others; else None.

    Args:
        points: Of the rows of the process, shape (n, n_dims).
        losses: Shape (n,).
        posterior: Of these rows, and perhaps of believed ones after them.
    """
    latest = range(max(len(losses) - LATEST, 0), len(losses))
    by_process = posterior.leave_one_out()[0][list(latest)]
    by_density = np.array([_left_out(encoding, points, losses, row) for row in latest])
    truth = losses[list(latest)]
    is_no_worse = _share_in_order(by_density, truth) >= _share_in_order(by_process, truth)
    return DensityModel(encoding, points, losses) if is_no_worse else None


def _left_out(encoding: SpaceEncoding, points: Array, losses: Array, row: int) -> float:
    """How bad the density model of all other rows takes one to be."""
    others = np.arange(len(losses)) != row
    return -float(DensityModel(encoding, points[others], losses[others]).log_ratio(points[row : row + 1])[0])


def _share_in_order(predicted: Array, losses: Array) -> float:
    """Of the pairs of different losses those that are predicted in their order; 0 where there are none.

    >>> _share_in_order(np.array([0.1, 0.3, 0.2]), np.array([1.0, 2.0, 3.0])).__round__(2)
    0.67
    """
    left, right = np.triu_indices(len(losses), 1)
    differs = losses[left] != losses[right]
    left, right = left[differs], right[differs]
    in_order = np.sign(predicted[left] - predicted[right]) == np.sign(losses[left] - losses[right])
    return float(in_order.mean()) if len(left) else 0.0


def _log_density(axis: Axis, seen: Array, units: Array) -> Array:
    """Of one parameter, over its values and that it is inactive, shape (n,); `seen` has one row for each point."""
    active, is_active = seen[~np.isnan(seen)], ~np.isnan(units)
    # As if one more point had it and one had not, so that neither is impossible.
    share = (len(active) + 1) / (len(seen) + 2)
    found = np.full(len(units), math.log(1 - share))
    density = _by_kernels if axis.is_ordered else partial(_by_value, axis)
    found[is_active] = math.log(share) + np.log(density(active, units[is_active]))
    return found


def _by_value(axis: Axis, active: Array, units: Array) -> Array:
    """Shares of values without an order, as if each had been seen a little: one observation spread over all."""
    assert axis.n_values is not None  # only lists have no order, and a list has a length
    n_values = axis.n_values
    counts = np.bincount([cell_of(unit, n_values) for unit in active], minlength=n_values) + 1 / n_values
    return np.asarray(counts[[cell_of(unit, n_values) for unit in units]] / (len(active) + 1))


def _by_kernels(active: Array, units: Array) -> Array:
    """Truncated normal densities around each value, as wide as its neighbours are away, and a wide one."""
    from scipy.special import ndtr  # not loaded before a model asks: see gaussian_process.py

    centres, widths = _kernels(active)
    inside = ndtr((1 - centres) / widths) - ndtr(-centres / widths)
    z = (units[:, None] - centres) / widths
    heights = np.exp(-0.5 * z * z) / ((2 * math.pi) ** 0.5 * widths * inside)
    return np.asarray(heights.mean(axis=1))


def _kernels(active: Array) -> tuple[Array, Array]:
    """Centres and widths, the last of all of the range, each of shape (n_active + 1,)."""
    centres = np.append(active, 0.5)
    edges = np.sort(np.concatenate([[0.0], centres, [1.0]]))
    below = edges[np.maximum(np.searchsorted(edges, centres) - 1, 0)]
    above = edges[np.minimum(np.searchsorted(edges, centres, side="right"), len(edges) - 1)]
    # Not narrower than a share that falls with the number of points: a few that coincide are no spike.
    widths = np.clip(np.maximum(centres - below, above - centres), 1 / min(100, len(centres) + 1), 1.0)
    widths[-1] = 1.0
    return centres, widths


def _drawn(axis: Axis, good: Array, rng: np.random.Generator) -> Array:
    """Values of one parameter as its density has them, shape (N_DRAWN,); any where no good one has it."""
    anywhere = rng.random(N_DRAWN)
    active = good[~np.isnan(good)]
    chosen = rng.integers(0, len(active) + 1, N_DRAWN)
    centres, widths = _kernels(active)
    if not axis.is_ordered:
        return np.asarray(np.where(chosen == len(active), anywhere, centres[chosen]))
    units = rng.normal(centres[chosen], widths[chosen])
    return np.asarray(np.where((units < 0) | (units > 1), anywhere, units))
