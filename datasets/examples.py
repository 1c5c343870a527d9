"""Examples that are one array each, pictures and sequences: a tensor column of a table, standardised by channel."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from pegbox.datasets.column_types import Codes, Floats
from pegbox.datasets.frame import Frame
from pegbox.datasets.target import Rows
from pegbox.schemas.arrays import Part

Array = npt.NDArray[Any]

# Picked by hand: 32 MB of doubles, in the order of a processor's caches, whatever the size of an example.
_CELLS = 4_000_000
"""Numbers that are scaled at a time."""


@dataclass(frozen=True, slots=True)
class ExampleScaling:
    """Means and deviations of each channel among the training rows.

    By channel and not by place: a pixel that is nearly always black would be blown up to the size of the others, and a
    picture that is moved by a pixel would become another one.

    Attributes:
        shape: Of one example.
        axis: The dimension of an example that holds channels; None where all numbers are of one.
        means: Shape (n_channels,).
        deviations: Shape (n_channels,), infinite where a channel is constant.
    """

    shape: tuple[int, ...]
    axis: int | None
    means: Floats
    deviations: Floats

    @classmethod
    def fit(cls, frame: Frame, rows: Rows) -> Self:
        """Learn from the training rows."""
        shape, axis = frame.shape, frame.example.channel_axis if frame.example else None
        assert shape is not None, "examples have a shape"
        n_channels = 1 if axis is None else shape[axis]
        sums, lows, highs = np.zeros(n_channels), np.full(n_channels, np.inf), np.full(n_channels, -np.inf)
        count = len(rows) * int(np.prod(shape)) // n_channels
        for batch in _channels(frame.numeric[rows], shape, axis):
            sums += batch.sum(axis=1)
            lows, highs = np.minimum(lows, batch.min(axis=1)), np.maximum(highs, batch.max(axis=1))
        means, squares = sums / count, np.zeros(n_channels)
        # Twice over the rows: a sum of squares loses the digits of a small deviation beside a large mean.
        for batch in _channels(frame.numeric[rows], shape, axis):
            squares += ((batch - means[:, None]) ** 2).sum(axis=1)
        deviations = np.where(highs > lows, np.sqrt(squares / count), np.inf)
        return cls(shape, axis, means, deviations)

    def part(self, frame: Frame, rows: Rows) -> Part:
        """The rows as arrays, in units of each channel's deviation."""
        numbers, codes = self.apply(frame.numeric[rows], frame.codes[rows])
        return Part(numeric=numbers, categorical=codes, target=frame.target.of_rows(rows))

    def after(self, other: Self) -> Self:
        """What makes of examples that another one has scaled those that this one would have made.

        Args:
            other: Of the same shape and axis.
        """
        # A channel that was constant is written as zeros, which stand for its mean.
        theirs = np.where(np.isinf(other.deviations), 1.0, other.deviations)
        return replace(self, means=(self.means - other.means) / theirs, deviations=self.deviations / theirs)

    def apply(self, numbers: Array, codes: Codes) -> tuple[npt.NDArray[np.float32], Codes]:
        """Scaled examples.

        Args:
            numbers: Shape (n_rows, n_numeric), of any type of number.
            codes: Given back as they are.

        Returns:
            Shapes (n_rows, n_numeric) and that of the codes.
        """
        scaled = np.empty(numbers.shape, dtype=np.float32)
        # Broadcast over one example: (1, 1, 3) for a picture whose colours stand last.
        along = [-1 if place == self.axis else 1 for place in range(len(self.shape))]
        means, deviations = self.means.reshape(along), self.deviations.reshape(along)
        for start, batch in _batches(numbers):
            examples = batch.reshape(len(batch), *self.shape).astype(np.float64)
            scaled[start : start + len(batch)] = ((examples - means) / deviations).reshape(len(batch), -1)
        return scaled, codes


def _batches(numbers: Array) -> Iterator[tuple[int, Array]]:
    at_once = max(1, _CELLS // max(1, numbers.shape[1]))
    for start in range(0, len(numbers), at_once):
        yield start, numbers[start : start + at_once]


def _channels(numbers: Array, shape: tuple[int, ...], axis: int | None) -> Iterator[Floats]:
    """Batches of examples as doubles, shape (n_channels, n)."""
    for _, batch in _batches(numbers):
        examples = batch.reshape(len(batch), *shape).astype(np.float64)
        yield examples.reshape(1, -1) if axis is None else np.moveaxis(examples, axis + 1, 0).reshape(shape[axis], -1)
