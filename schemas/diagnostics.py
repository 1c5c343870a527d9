"""What is to be known of a model beyond one number, on rows that it did not learn from; computed in `models`."""

from typing import Literal

from pydantic import FiniteFloat

from pegbox.schemas.base import Schema
from pegbox.schemas.selection import Interval


class Confusion(Schema):
    """Which class was taken for which."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    """Rows of the true class, then of the predicted one, in the order of `classes`."""


class Residuals(Schema):
    """True value less prediction, in units of the target."""

    mean: FiniteFloat
    """Far from zero where the model says too little or too much on the whole."""
    absolute_mean: FiniteFloat
    quantiles: dict[str, FiniteFloat]
    """Of the residuals: `5%`, `25%`, `50%`, `75%`, `95%`."""


class ReliabilityBin(Schema):
    """Rows whose likeliest class got about the same probability."""

    n_rows: int
    said: FiniteFloat
    """Mean probability of the predicted class."""
    came_true: FiniteFloat
    """Share of the rows where that class was right."""


class Calibration(Schema):
    """Whether probabilities are to be taken at their word."""

    bins: tuple[ReliabilityBin, ...]
    """From unsure to sure, of equal width; those without rows are left out."""
    expected_error: FiniteFloat
    """Expected calibration error: what is said and what comes true differ by this, weighted by rows (Naeini, Cooper &
    Hauskrecht 2015)."""
    brier: FiniteFloat
    """Mean squared distance of the probabilities from the truth, summed over the classes (Brier 1950)."""


class Coverage(Schema):
    """An interval around a predicted number, and how often it held.

    The width is learned from one half of the rows and tried on the other: split conformal prediction (Lei et al. 2018).
    """

    level: FiniteFloat
    """That was asked for."""
    half_width: FiniteFloat
    """In units of the target: the truth lies within prediction ± this."""
    covered: FiniteFloat
    """Share of the other half of the rows where it did."""
    n_rows: int
    """Of that half."""


class WorseSlice(Schema):
    """Rows on which a model is worse than on all others, beyond what chance explains."""

    column: str
    told: str
    """Which rows: `is 'Rome'`, `is missing`, `from 50 to 64`."""
    n_rows: int
    value: FiniteFloat
    """Mean error on these rows."""
    elsewhere: FiniteFloat
    """On all others."""
    p_value: FiniteFloat
    """Corrected for the number of slices that were looked at (Holm 1979)."""


class ColumnImportance(Schema):
    """How much worse a model is where a column's values are shuffled among the rows (Breiman 2001)."""

    column: str
    loss: FiniteFloat
    """By how much the mean loss rises."""
    interval: Interval
    """Of that, over the rows; its level is that of all columns' intervals together."""


class ModelDiagnostics(Schema):
    """All of it, on the same rows."""

    part: Literal["test", "valid"]
    told: str
    """Which rows, and of which weights, in a sentence."""
    n_rows: int
    loss: str
    """What `importance` is in: cross-entropy, share of wrong answers, or squared error."""
    error: str
    """What `slices` are in: share of wrong answers, or absolute error."""
    confusion: Confusion | None = None
    """Of classes, up to twenty."""
    residuals: Residuals | None = None
    """Of numbers."""
    calibration: Calibration | None = None
    """Of classes with probabilities."""
    coverage: Coverage | None = None
    """Of numbers, from forty rows on."""
    slices: tuple[WorseSlice, ...] = ()
    """The worst first; empty where none is worse beyond noise."""
    n_slices: int = 0
    """That were looked at."""
    importance: tuple[ColumnImportance, ...] = ()
    """The most important columns, at most twenty; empty for images and sequences, whose columns are no questions."""
