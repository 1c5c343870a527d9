"""The acquisition optimiser: a broad sample of the space, then a local search around the points that score highest.

Without gradients, because an acquisition function has none here: points snap to cells, categories jump, and conditions
switch parameters off.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from pegbox.search.space.axes import Array
from pegbox.search.space.encoding import SpaceEncoding

Score = Callable[[Array], Array]
"""Snapped points of shape (n, n_dims) to scores of shape (n,)."""


class Effort(NamedTuple):
    """How hard the search looks; more candidates gained nothing beyond the noise on LCBench (decision 4)."""

    # Together 1,472 scores an ask, a small part of its milliseconds (`benchmarks/README.md`); picked by hand.
    n_uniform: int = 512
    n_near: int = 128
    """Points around good ones, for each width."""
    # From polishing a good point to leaving its basin, in shares of a range; picked by hand.
    widths: tuple[float, ...] = (0.02, 0.1, 0.3)
    n_starts: int = 6
    n_steps: int = 12
    """Tries of each start in a round."""
    n_rounds: int = 8


class AcquisitionOptimiser:
    """A search over one space; forbidden points are never returned."""

    def __init__(self, encoding: SpaceEncoding) -> None:
        self._encoding = encoding
        self._unordered = np.array([not axis.is_ordered for axis in encoding.axes])
        self._free = np.array([axis.n_values != 1 for axis in encoding.axes])

    def maximise(self, score: Score, good: Array, rng: np.random.Generator, effort: Effort) -> Iterator[Array]:
        """Points by score, highest first; the later ones serve where the first were tried already.

        Args:
            score: What is to be made large.
            good: Points that are known to be good, shape (n_good, n_dims); may be empty.
            rng: Random numbers.
            effort: How hard to look.
        """
        points = self._allowed(self._spread(good, rng, effort))
        if not len(points):
            return
        scores = score(points)
        # Stable sorts: points of equal score keep their order, so that a replayed decision is the same.
        best = np.argsort(-scores, kind="stable")
        starts, heights = points[best[: effort.n_starts]], scores[best[: effort.n_starts]]
        # Eight rounds take the width from 0.15 to 0.02, the finest of the sample above; picked by hand.
        width = 0.15
        for _ in range(effort.n_rounds):
            starts, heights = self._round(score, starts, heights, width, rng, effort.n_steps)
            width *= 0.75
        order = np.argsort(-heights, kind="stable")
        yield from starts[order]
        yield from points[best]

    def _spread(self, good: Array, rng: np.random.Generator, effort: Effort) -> Array:
        parts = [rng.random((effort.n_uniform, self._encoding.n_dims))]
        if len(good):
            parts.extend(
                self.perturb(good[rng.integers(0, len(good), effort.n_near)], width, rng) for width in effort.widths
            )
        return np.vstack(parts)

    def _round(
        self,
        score: Score,
        starts: Array,
        heights: Array,
        width: float,
        rng: np.random.Generator,
        n_steps: int,
    ) -> tuple[Array, Array]:
        """Each start moves to the best of its tries, if that is higher."""
        owners = np.repeat(np.arange(len(starts)), n_steps)
        tries = self._encoding.snap(self.perturb(starts[owners], width, rng))
        reached = np.where(self._encoding.allowed(tries), score(tries), -np.inf).reshape(len(starts), -1)
        best = reached.argmax(axis=1)
        rises = reached.max(axis=1) > heights
        moved = tries.reshape(len(starts), -1, starts.shape[1])[np.arange(len(starts)), best]
        return np.where(rises[:, None], moved, starts), np.where(rises, reached.max(axis=1), heights)

    def perturb(self, points: Array, width: float, rng: np.random.Generator) -> Array:
        """Points with about a third of their parameters changed, at least one; those without an order jump.

        Held at the bounds, not reflected: many good configurations lie at a bound.
        """
        n, n_dims = points.shape
        # An inactive parameter may become active by the change of its parent, and needs a value then.
        points = np.where(np.isnan(points), rng.random(points.shape), points)
        # All at once would rarely rise in many dimensions, one alone cannot follow a ridge; picked by hand.
        changed = rng.random(points.shape) < 0.35
        changed[np.arange(n), rng.choice(np.flatnonzero(self._free), n) if self._free.any() else 0] = True
        steps = np.clip(points + rng.normal(0, width, points.shape), 0, 1)
        moved = np.where(self._unordered, rng.random((n, n_dims)), steps)
        return np.where(changed, moved, points)

    def _allowed(self, points: Array) -> Array:
        snapped = self._encoding.snap(points)
        return snapped[self._encoding.allowed(snapped)]
