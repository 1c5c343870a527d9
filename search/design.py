"""The first points of a search, before there is a model: a Sobol sequence, bent towards what is known beforehand."""

import numpy as np

from pegbox.search.axes import Array
from pegbox.search.encoding import SpaceEncoding
from pegbox.search.priors import Priors
from pegbox.search.sobol import SobolSequence


class InitialDesign:
    """Points by number: recommended ones, then all guesses at once, then the sequence, every other one near a guess."""

    def __init__(self, encoding: SpaceEncoding, seed: int, recommended: Array | None = None) -> None:
        self._sequence = SobolSequence(encoding.n_dims, seed)
        self._seed = seed
        self._priors = Priors(encoding)
        self._recommended = np.empty((0, encoding.n_dims)) if recommended is None else recommended

    def point(self, number: int) -> Array:
        """The point of that number, shape (n_dims,)."""
        if number < len(self._recommended):
            return np.asarray(self._recommended[number])
        number -= len(self._recommended)
        point = self._sequence.point(number)
        if not self._priors.are_given or number % 2:
            return point
        rng = np.random.default_rng([self._seed, number])
        return self._priors.guess(point) if number == 0 else self._priors.draw(point, rng)
