"""Standardisation and imputation: learned from the training rows of one fold, applied to all of its parts; no model."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from pegbox.datasets.column_types import Codes, Floats
from pegbox.datasets.frame import Frame
from pegbox.datasets.target import Rows
from pegbox.schemas.arrays import Part


@dataclass(frozen=True, slots=True)
class Scaling:
    """Medians, means, deviations and known categories of the training rows.

    A missing number becomes the median, and a column of its own says that it was missing. A column that is constant
    among the training rows teaches nothing and is written as zeros. A category that they do not hold gets code 0.

    Attributes:
        medians: Shape (n_numeric,).
        gaps: Columns with a missing value anywhere, each followed by an indicator at the end, shape (n_gaps,).
        means: Shape (n_numeric + n_gaps,).
        deviations: Shape (n_numeric + n_gaps,), infinite where a column is constant.
        known: For each column of categories, whether the training rows hold a code, shape (cardinality,).
    """

    medians: Floats
    gaps: Rows
    means: Floats
    deviations: Floats
    known: tuple[Codes, ...]

    @classmethod
    def fit(cls, frame: Frame, rows: Rows) -> Self:
        """Learn from the training rows."""
        gaps = gap_columns(frame)
        training = frame.numeric[rows]
        medians = np.zeros(training.shape[1])
        for i in gaps:
            observed = training[~np.isnan(training[:, i]), i]
            # The median: one wild value moves a mean, and through it every row in which nothing was written.
            medians[i] = np.median(observed) if len(observed) else 0.0
        filled = _filled(training, medians, gaps)
        # Not the deviation: rounding leaves it a little above zero where all values are equal.
        varies = filled.max(axis=0) > filled.min(axis=0)
        return cls(
            medians=medians,
            gaps=gaps,
            means=filled.mean(axis=0),
            # Infinite: dividing by it gives zeros without a case for constant columns.
            deviations=np.where(varies, filled.std(axis=0), np.inf),
            known=tuple(
                (np.bincount(frame.codes[rows, i], minlength=size) > 0).astype(np.int64)
                for i, size in enumerate(frame.cardinalities)
            ),
        )

    def part(self, frame: Frame, rows: Rows) -> Part:
        """The rows as arrays, each column in units of the training rows' deviation."""
        numeric = (_filled(frame.numeric[rows], self.medians, self.gaps) - self.means) / self.deviations
        codes = frame.codes[rows]
        for i, known in enumerate(self.known):
            # A level that training never saw has weights that were never trained; code 0, missing, is what a model
            # knows to handle.
            codes[:, i] *= known[codes[:, i]]
        values = frame.target.values[rows]
        # Not float32: a target of 20,000,000 and a few would lose the few before anybody has centred it.
        target = values.astype(np.int64) if frame.target.classes else values.astype(np.float64)
        return Part(numeric=numeric.astype(np.float32), categorical=codes, target=target)


def gap_columns(frame: Frame) -> Rows:
    """Columns of numbers that miss a value in any row, so that every fold has the same columns."""
    return np.flatnonzero(np.isnan(frame.numeric).any(axis=0))


def numeric_names(frame: Frame) -> tuple[str, ...]:
    """Names of the columns of numbers with their indicators."""
    return (*frame.numeric_names, *(f"{frame.numeric_names[i]} is missing" for i in gap_columns(frame)))


def _filled(numbers: Floats, medians: Floats, gaps: Rows) -> Floats:
    missing = np.isnan(numbers[:, gaps])
    filled = np.concatenate([numbers, missing], axis=1)
    filled[:, gaps] = np.where(missing, medians[gaps], numbers[:, gaps])
    return filled
