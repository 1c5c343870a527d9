"""Prior weights on an acquisition function (πBO): a user's guesses where the best lies, which data outweigh in time."""

import numpy as np

from pegbox.search.space.axes import Array
from pegbox.search.space.encoding import SpaceEncoding

WIDTHS = {"low": 0.4, "medium": 0.2, "high": 0.1}
"""Deviation of a guess on the unit interval, by confidence. Picked by hand: two deviations of a low one still take in
most of a range, those of a high one two fifths of it."""
ODDS = {"low": 2.0, "medium": 5.0, "high": 10.0}
"""How much likelier a guessed value without an order is than another; picked by hand beside the widths."""
FADING = 10.0
"""Trials whose evidence weighs as much as the guesses. The paper's beta is a tenth of the trials; a study need not know
how many it will have, so that of 100 is taken for all."""


class Priors:
    """The guesses of a space.

    Source: Hvarfner et al. 2022, equation 6 (πBO): the acquisition is multiplied by the prior to the power of
    beta / n, so that data win in the end.
    """

    def __init__(self, encoding: SpaceEncoding) -> None:
        self._encoding = encoding
        guesses = {name: encoding.space.parameters[name].prior for name in encoding.names}
        self._guesses = {
            column: (encoding.axes[column].unit(guess.value), guess.confidence)
            for column, name in enumerate(encoding.names)
            if (guess := guesses[name]) is not None
        }

    @property
    def are_given(self) -> bool:
        """True if any parameter has a guess."""
        return bool(self._guesses)

    def log_weight(self, snapped: Array, n_values: int) -> Array:
        """What the guesses add to the logarithm of an acquisition after so many values, shape (n,); at most 0."""
        total = np.zeros(len(snapped))
        for column, (unit, confidence) in self._guesses.items():
            # Inactive counts as guessed: a guess about a child is no reason to avoid the branch without it.
            units = np.where(np.isnan(snapped[:, column]), unit, snapped[:, column])
            if self._encoding.axes[column].is_ordered:
                total -= 0.5 * ((units - unit) / WIDTHS[confidence]) ** 2
            else:
                total -= np.where(np.abs(units - unit) < 1e-9, 0.0, np.log(ODDS[confidence]))
        # n + beta below, not n: with no values yet the prior has the power 1, not an infinite one.
        return total * FADING / (FADING + n_values)

    def guess(self, point: Array) -> Array:
        """A point of the unit cube with the guessed parameters at their guesses, shape (n_dims,)."""
        guessed = point.copy()
        for column, (unit, _) in self._guesses.items():
            guessed[column] = unit
        return guessed

    def draw(self, point: Array, rng: np.random.Generator) -> Array:
        """A point of the unit cube with the guessed parameters drawn around their guesses, shape (n_dims,)."""
        drawn = point.copy()
        for column, (unit, confidence) in self._guesses.items():
            if self._encoding.axes[column].is_ordered:
                drawn[column] = np.clip(rng.normal(unit, WIDTHS[confidence]), 0.0, 1.0)
            elif rng.random() < ODDS[confidence] / (1 + ODDS[confidence]):
                drawn[column] = unit
        return drawn
