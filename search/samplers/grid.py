"""Grid search: tries every configuration of the space, coarse before fine, so that an early end has covered it."""

import numpy as np

from pegbox.schemas.base import Configuration
from pegbox.schemas.history import History
from pegbox.search.space.deduplication import Deduplication
from pegbox.search.space.encoding import SpaceEncoding
from pegbox.search.space.enumeration import SpaceEnumeration


class GridSampler:
    """The walk over the space, through all branches of its conditions."""

    def __init__(self, encoding: SpaceEncoding, points: dict[str, int] | int | None = None) -> None:
        self._novelty = Deduplication(encoding, SpaceEnumeration(encoding, points))

    def propose(self, history: History, count: int, rng: np.random.Generator) -> list[Configuration]:
        """The next configurations of the grid; the random numbers are not used."""
        return self._novelty.following(history, count)
