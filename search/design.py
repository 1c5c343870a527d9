"""The first points of a search, before there is a model: a Sobol sequence, bent towards what is known beforehand."""

import numpy as np

from pegbox.search.axes import Array
from pegbox.search.encoding import SpaceEncoding
from pegbox.search.priors import Priors
from pegbox.search.sobol import SobolSequence


class InitialDesign:
    """Points by number: recommended ones, then all guesses at once, then the sequence, every other one near a guess.

    Every third point is the sequence's while there are recommended ones: they may all be bad, and alike.
    """

    def __init__(self, encoding: SpaceEncoding, seed: int, recommended: Array | None = None) -> None:
        self._sequence = SobolSequence(encoding.n_dims, seed)
        self._seed = seed
        self._priors = Priors(encoding)
        self._recommended = np.empty((0, encoding.n_dims)) if recommended is None else recommended

    @property
    def n_recommended(self) -> int:
        """How many points are recommended ones, and those between them."""
        return 3 * len(self._recommended) // 2

    def point(self, number: int) -> Array:
        """The point of that number, shape (n_dims,)."""
        if number < self.n_recommended and number % 3 < 2:
            return np.asarray(self._recommended[number - number // 3])
        number = number // 3 if number < self.n_recommended else number - len(self._recommended)
        point = self._sequence.point(number)
        if not self._priors.are_given or number % 2:
            return point
        rng = np.random.default_rng([self._seed, number])
        return self._priors.guess(point) if number == 0 else self._priors.draw(point, rng)
