"""Standardisation and imputation: learned from the training rows of one fold, applied to all of its parts; no model."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from pegbox.datasets.column_types import Codes, Floats
from pegbox.datasets.frame import Frame
from pegbox.datasets.target import Rows
from pegbox.schemas.arrays import Part


@dataclass(frozen=True, slots=True)
class Scaling:
    """Medians, means, deviations and known categories of the training rows.

    A missing number becomes the median, and a column of its own says that it was missing; in a column that had a value
    in every row it becomes the mean. A column that is constant among the training rows teaches nothing and is written
    as zeros. A category that they do not hold gets code 0.

    Attributes:
        fills: What stands where a number is missing, shape (n_numeric,).
        gaps: Columns with a missing value anywhere, each followed by an indicator at the end, shape (n_gaps,).
        means: Shape (n_numeric + n_gaps,).
        deviations: Shape (n_numeric + n_gaps,), infinite where a column is constant.
        known: For each column of categories, whether the training rows hold a code, shape (cardinality,).
    """

    fills: Floats
    gaps: Rows
    means: Floats
    deviations: Floats
    known: tuple[Codes, ...]

    @classmethod
    def fit(cls, frame: Frame, rows: Rows) -> Self:
        """Learn from the training rows."""
        gaps = gap_columns(frame)
        training = frame.numeric[rows]
        fills = np.zeros(training.shape[1])
        for i in gaps:
            observed = training[~np.isnan(training[:, i]), i]
            # The median: one wild value moves a mean, and through it every row in which nothing was written.
            fills[i] = np.median(observed) if len(observed) else 0.0
        filled = _filled(training, fills, gaps)
        means = filled.mean(axis=0)
        whole = np.setdiff1d(np.arange(len(fills)), gaps)
        # Rows to come may miss what no row of the source did: the mean is what says least, for it is scaled to zero.
        fills[whole] = means[whole]
        # Not the deviation: rounding leaves it a little above zero where all values are equal.
        varies = filled.max(axis=0) > filled.min(axis=0)
        return cls(
            fills=fills,
            gaps=gaps,
            means=means,
            # Infinite: dividing by it gives zeros without a case for constant columns.
            deviations=np.where(varies, filled.std(axis=0), np.inf),
            known=tuple(
                (np.bincount(frame.codes[rows, i], minlength=size) > 0).astype(np.int64)
                for i, size in enumerate(frame.cardinalities)
            ),
        )

    def part(self, frame: Frame, rows: Rows) -> Part:
        """The rows as arrays, each column in units of the training rows' deviation."""
        numeric, codes = self.apply(frame.numeric[rows], frame.codes[rows])
        return Part(numeric=numeric, categorical=codes, target=frame.target.of_rows(rows))

    def apply(self, numeric: Floats, codes: Codes) -> tuple[npt.NDArray[np.float32], Codes]:
        """Numbers filled in and scaled, and codes without those that training never saw.

        Args:
            numeric: Shape (n_rows, n_numeric), NaN where a value is missing.
            codes: Shape (n_rows, n_categorical), 0 where a value is missing; written over.

        Returns:
            Shapes (n_rows, n_numeric + n_gaps) and (n_rows, n_categorical).
        """
        scaled = _filled(numeric, self.fills, self.gaps)
        # In place: further rows come by the million, and each copy of them costs as much as the arithmetic.
        scaled -= self.means
        scaled /= self.deviations
        for i, known in enumerate(self.known):
            # A level that training never saw has weights that were never trained; code 0, missing, is what a model
            # knows to handle.
            codes[:, i] *= known[codes[:, i]]
        return scaled.astype(np.float32), codes


def gap_columns(frame: Frame) -> Rows:
    """Columns of numbers that miss a value in any row, so that every fold has the same columns."""
    return np.flatnonzero(np.isnan(frame.numeric).any(axis=0))


def numeric_names(frame: Frame) -> tuple[str, ...]:
    """Names of the columns of numbers with their indicators."""
    if frame.example is not None:  # its numbers have no names, and none of them is missing
        return ()
    return (*frame.numeric_names, *(f"{frame.numeric_names[i]} is missing" for i in gap_columns(frame)))


def _filled(numbers: Floats, fills: Floats, gaps: Rows) -> Floats:
    missing = np.isnan(numbers)
    filled = np.concatenate([numbers, missing[:, gaps]], axis=1)
    if missing.any():
        filled[:, : len(fills)] = np.where(missing, fills, numbers)
    return filled
