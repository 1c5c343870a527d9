"""Covers the space evenly with a low-discrepancy sequence, a scrambled Sobol one; learns nothing from the values."""

import numpy as np

from pegbox.schemas.base import Configuration
from pegbox.schemas.history import History
from pegbox.search.samplers.sobol_sequence import SobolSequence
from pegbox.search.space.deduplication import Deduplication
from pegbox.search.space.encoding import SpaceEncoding


class SobolSampler:
    """Trial n takes the n-th point of the sequence; a point that was tried, or is forbidden, gives way to a later one.

    Source: Sobol' 1967.
    """

    def __init__(self, encoding: SpaceEncoding, seed: int) -> None:
        self._encoding = encoding
        self._novelty = Deduplication(encoding)
        self._sequence = SobolSequence(encoding.n_dims, seed)

    def propose(self, history: History, count: int, rng: np.random.Generator) -> list[Configuration]:
        """The sequence from the number of trials on; the random numbers are not used."""
        # 10**9: more than any study, and below 2**30, where the sequence ends.
        position = iter(range(len(history.trials), len(history.trials) + 10**9))
        return self._novelty.draw(history, count, lambda: self._encoding.decode(self._sequence.point(next(position))))
