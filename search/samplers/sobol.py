"""Covers the space evenly with a low-discrepancy sequence, a scrambled Sobol one; learns nothing from the values."""

import numpy as np

from pegbox.schemas.base import Configuration
from pegbox.schemas.history import History
from pegbox.search.space.axes import Array
from pegbox.search.space.deduplication import Deduplication
from pegbox.search.space.encoding import SpaceEncoding

BLOCK = 1024
"""Points that are drawn at a time; a power of two keeps the sequence balanced, and scipy warns of other numbers. More
than most studies have trials, so that it is drawn once; picked by hand."""


class SobolSampler:
    """Trial n takes the n-th point of the sequence; a point that was tried, or is forbidden, gives way to a later one.

    Source: Sobol' 1967; scrambling by Matoušek 1998, as in scipy.stats.qmc.
    """

    def __init__(self, encoding: SpaceEncoding, seed: int) -> None:
        self._encoding = encoding
        self._novelty = Deduplication(encoding)
        self._sequence = SobolSequence(encoding.n_dims, seed)

    def propose(self, history: History, count: int, rng: np.random.Generator) -> list[Configuration]:
        """The sequence from the number of trials on; the random numbers are not used."""
        # 10**9: more than any study, and below 2**30, where scipy's sequence ends.
        position = iter(range(len(history.trials), len(history.trials) + 10**9))
        return self._novelty.draw(history, count, lambda: self._encoding.decode(self._sequence.point(next(position))))


class SobolSequence:
    """A scrambled Sobol sequence whose points can be asked for by number."""

    def __init__(self, n_dims: int, seed: int) -> None:
        self._n_dims = n_dims
        self._seed = seed
        self._points = np.empty((0, n_dims))

    def point(self, number: int) -> Array:
        """The point of that number, shape (n_dims,)."""
        if number >= len(self._points):
            from scipy.stats import qmc  # takes a second to load

            # From its begin and the same seed: a longer sequence begins with the shorter one, so no point changes.
            n_points = BLOCK * (number // BLOCK + 1)
            n_points = 1 << (n_points - 1).bit_length()
            self._points = qmc.Sobol(self._n_dims, rng=np.random.default_rng(self._seed)).random(n_points)
        return np.asarray(self._points[number])
