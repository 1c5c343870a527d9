"""Random search: draws configurations uniformly from the space; the scale of each parameter is the measure."""

import numpy as np

from pegbox.schemas.base import Configuration
from pegbox.schemas.history import History
from pegbox.search.space.deduplication import Deduplication
from pegbox.search.space.encoding import SpaceEncoding


class RandomSampler:
    """Uniform on the unit cube."""

    def __init__(self, encoding: SpaceEncoding) -> None:
        self._encoding = encoding
        self._novelty = Deduplication(encoding)

    def propose(self, history: History, count: int, rng: np.random.Generator) -> list[Configuration]:
        """Independent draws, none of them tried before."""
        return self._novelty.draw(history, count, lambda: self._encoding.decode(rng.random(self._encoding.n_dims)))
