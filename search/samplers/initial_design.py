"""The initial design of a search, before there is a model: a low-discrepancy sequence bent towards prior knowledge."""

import numpy as np

from pegbox.search.model.observations import Observations
from pegbox.search.samplers.sobol_sequence import SobolSequence
from pegbox.search.space.axes import Array
from pegbox.search.space.encoding import SpaceEncoding
from pegbox.search.space.priors import Priors


class InitialDesign:
    """Points by number: recommended ones, then all guesses at once, then the sequence, every other one near a guess.

    Every third point is the sequence's while there are recommended ones: they may all be bad, and alike. With a past
    turned upside down and no such points, `bayes` stood still for 25 trials on some tasks of LCBench.
    """

    def __init__(self, encoding: SpaceEncoding, seed: int, recommended: Array | None = None) -> None:
        self._sequence = SobolSequence(encoding.n_dims, seed)
        self._seed = seed
        self._priors = Priors(encoding)
        # Decoded and encoded: a recommended point is told from others by the place where its trial will be seen.
        advice = [] if recommended is None else [encoding.encode(encoding.decode(point)) for point in recommended]
        self._recommended = encoding.snap(np.array(advice).reshape(-1, encoding.n_dims))

    @property
    def n_recommended(self) -> int:
        """How many points are recommended ones, and those between them."""
        return 3 * len(self._recommended) // 2

    def leads_astray(self, seen: Observations) -> bool:
        """True once another point was better than every recommended one; compared at the lowest budget of all."""
        # The lowest budget is the one that every trial passes; values of different budgets tell nothing together.
        first = seen.budgets == seen.budgets.min(initial=np.inf)
        points, losses = seen.points[first], seen.losses[first, 0]
        same = np.isclose(points[:, None], self._recommended, rtol=0.0, atol=1e-9, equal_nan=True).all(axis=2)
        is_recommended = same.any(axis=1)
        return bool(losses[~is_recommended].min(initial=np.inf) < losses[is_recommended].min(initial=np.inf))

    def point(self, number: int) -> Array:
        """The point of that number, shape (n_dims,)."""
        is_advised = number < self.n_recommended
        if is_advised and number % 3 != 1:
            return np.asarray(self._recommended[number - (number + 1) // 3])
        number = number // 3 if is_advised else number - len(self._recommended)
        point = self._sequence.point(number)
        # Every other one is the sequence's own, so that a wrong guess leaves half of the design as it was.
        if not self._priors.are_given or number % 2:
            return point
        rng = np.random.default_rng([self._seed, number])
        return self._priors.guess(point) if number == 0 else self._priors.draw(point, rng)
