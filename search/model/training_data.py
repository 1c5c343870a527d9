"""What a Gaussian process is fitted to: features, targets, and of how many trainings each target is the mean."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pegbox.search.space.axes import Array


class Repeats(NamedTuple):
    """Of targets that are means of several trainings.

    Attributes:
        counts: How many trainings each is the mean of, shape (n,).
        squares: Sum of the squares of what they differ by from it, shape (n,).
    """

    counts: Array
    squares: Array

    def penalty(self, noise: float) -> tuple[float, float]:
        """How unlikely a variance of the noise makes the differences, up to a constant, and the slope by it."""
        freedom, squares = float((self.counts - 1).sum()), float(self.squares.sum())
        return 0.5 * (freedom * math.log(noise) + squares / noise), 0.5 * (freedom - squares / noise) / noise


class Data(NamedTuple):
    """What a process is fitted to.

    Attributes:
        features: Shape (n, n_features).
        groups: Which length scale each feature uses, shape (n_features,); features of one parameter share one.
        targets: Standardised, to be made small, shape (n,).
        repeats: Of the targets; None where each is one training.
    """

    features: Array
    groups: npt.NDArray[np.int64]
    targets: Array
    repeats: Repeats | None = None

    @property
    def shares(self) -> Array:
        """What is left of the variance of noise in each target, shape (n,)."""
        return np.ones(len(self.targets)) if self.repeats is None else 1 / self.repeats.counts

    def rows(self, rows: npt.NDArray[np.int64] | slice) -> "Data":
        """Some of the rows."""
        repeats = self.repeats and Repeats(self.repeats.counts[rows], self.repeats.squares[rows])
        return Data(self.features[rows], self.groups, self.targets[rows], repeats)

    def measured(self, targets: Array, unit: float) -> "Data":
        """The same rows with their targets in another unit, given in that of the present ones; 0 where it has none."""
        repeats = self.repeats and self.repeats._replace(squares=self.repeats.squares / (unit or 1.0) ** 2)
        return self._replace(targets=targets, repeats=repeats)

    def with_rows(self, features: Array, targets: Array) -> "Data":
        """Further rows, each of one training."""
        more = np.ones(len(targets))
        repeats = self.repeats and Repeats(
            np.append(self.repeats.counts, more), np.append(self.repeats.squares, 0 * more)
        )
        rows = np.vstack([self.features, features])
        return Data(rows, self.groups, np.append(self.targets, targets), repeats)
