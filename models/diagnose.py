"""Diagnostics of a model on rows that it did not learn from: confusion, residuals, calibration, coverage."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pegbox.models.column_importance import column_importance
from pegbox.models.worse_slices import worse_slices
from pegbox.schemas.arrays import Part
from pegbox.schemas.diagnostics import (
    Calibration,
    Confusion,
    Coverage,
    ModelDiagnostics,
    ReliabilityBin,
    Residuals,
)
from pegbox.schemas.preprocessing import Preprocessing
from pegbox.training.model_form import Predictor

Floats = npt.NDArray[np.float64]

# Picked by hand: shares are known to half a percent, and a forest answers them in seconds.
MOST_ROWS = 20_000
"""That are asked; more are thinned out at random."""
MOST_CLASSES = 20
"""A larger table of confusion is not looked at, and would fill the card."""
N_BINS = 10
"""Of the reliability diagram, as Guo et al. 2017 have nearly (15): small parts leave few rows in each."""
LEVEL = 0.9
"""Of the interval around a predicted number."""
# Twenty rows to learn the width from: the 90 % quantile is then the nineteenth of them.
FEWEST_FOR_COVERAGE = 40
"""Rows."""


@dataclass(frozen=True)
class Asked:
    """A model's answers on rows whose truth is known.

    Attributes:
        predictor: Who answers.
        how: What the columns are.
        part: The rows.
    """

    predictor: Predictor
    how: Preprocessing
    part: Part

    @property
    def target(self) -> npt.NDArray[Any]:
        """The truth, shape (n_rows,)."""
        return self.part.target

    @cached_property
    def probabilities(self) -> Floats | None:
        """Shape (n_rows, n_classes); None where the model has none."""
        if not self.predictor.has_probabilities:
            return None
        return np.asarray(self.predictor.predict_proba(self.part.numeric, self.part.categorical), dtype=np.float64)

    @cached_property
    def said(self) -> npt.NDArray[Any]:
        """Class codes or numbers, shape (n_rows,)."""
        if self.probabilities is not None:
            likeliest: npt.NDArray[Any] = self.probabilities.argmax(axis=1)
            return likeliest
        return np.asarray(self.predictor.predict(self.part.numeric, self.part.categorical))

    @property
    def is_classes(self) -> bool:
        """True if classes are predicted."""
        return self.how.task == "classification"

    @property
    def errors(self) -> Floats:
        """1 where the class is wrong, or the absolute error in units of the target, shape (n_rows,)."""
        if self.is_classes:
            return np.asarray(self.said != self.target, dtype=np.float64)
        return np.asarray(np.abs(self.target - self.said), dtype=np.float64)

    def losses(self, part: Part) -> Floats:
        """Of each row of other inputs with the same truth, shape (n_rows,).

        Cross-entropy in nats, 1 for a wrong class where there are no probabilities, or the squared error.
        """
        there = Asked(self.predictor, self.how, part)
        if there.probabilities is not None:
            picked = there.probabilities[np.arange(len(part)), part.target]
            # As scikit-learn's log_loss: a probability of 0 is the smallest that a double tells from it.
            losses: Floats = -np.log(np.clip(picked, np.finfo(np.float64).eps, 1))
            return losses
        return there.errors if self.is_classes else there.errors**2


def diagnose(
    predictor: Predictor, how: Preprocessing, rows: Part, part: Literal["test", "valid"], told: str
) -> ModelDiagnostics:
    """Everything that is to be known of a model on rows that it did not learn from.

    Args:
        part: Which rows these are.
        told: The same in a sentence.
    """
    asked = Asked(predictor, how, thinned(rows, MOST_ROWS))
    is_table = how.shape is None
    found, n_slices = worse_slices(how, asked.part, asked.errors, is_share=asked.is_classes) if is_table else ((), 0)
    return ModelDiagnostics(
        part=part,
        told=told,
        n_rows=len(asked.part),
        loss=_loss_name(asked),
        error="share of wrong answers" if asked.is_classes else "absolute error",
        confusion=_confusion(asked),
        residuals=None if asked.is_classes else _residuals(asked),
        calibration=_calibration(asked),
        coverage=None if asked.is_classes else _coverage(asked),
        slices=found,
        n_slices=n_slices,
        importance=column_importance(how, asked.part, asked.losses) if is_table else (),
    )


def thinned(part: Part, at_most: int) -> Part:
    """As many rows, drawn with a fixed seed so that equal models have equal cards."""
    if len(part) <= at_most:
        return part
    kept = np.sort(np.random.default_rng(0).choice(len(part), at_most, replace=False))
    return Part(part.numeric[kept], part.categorical[kept], part.target[kept])


def _loss_name(asked: Asked) -> str:
    if not asked.is_classes:
        return "squared error"
    return "share of wrong answers" if asked.probabilities is None else "cross-entropy"


def _confusion(asked: Asked) -> Confusion | None:
    from sklearn.metrics import confusion_matrix

    classes = asked.how.classes
    if not asked.is_classes or len(classes) > MOST_CLASSES:
        return None
    counts = confusion_matrix(asked.target, asked.said, labels=np.arange(len(classes)))
    return Confusion(classes=classes, counts=tuple(tuple(row) for row in counts.tolist()))


def _residuals(asked: Asked) -> Residuals:
    residuals = asked.target - asked.said
    shares = (5, 25, 50, 75, 95)
    quantiles = np.percentile(residuals, shares).tolist()
    return Residuals(
        mean=float(residuals.mean()),
        absolute_mean=float(np.abs(residuals).mean()),
        quantiles={f"{share}%": value for share, value in zip(shares, quantiles, strict=True)},
    )


def _calibration(asked: Asked) -> Calibration | None:
    if asked.probabilities is None:
        return None
    said = asked.probabilities.max(axis=1)
    right = asked.said == asked.target
    place = np.minimum((said * N_BINS).astype(np.int64), N_BINS - 1)
    bins = [
        ReliabilityBin(n_rows=int(here.sum()), said=float(said[here].mean()), came_true=float(right[here].mean()))
        for here in (place == one for one in range(N_BINS))
        if here.any()
    ]
    truth = np.eye(asked.probabilities.shape[1])[asked.target]
    return Calibration(
        bins=tuple(bins),
        expected_error=sum(one.n_rows * abs(one.said - one.came_true) for one in bins) / len(said),
        brier=float(((asked.probabilities - truth) ** 2).sum(axis=1).mean()),
    )


def _coverage(asked: Asked) -> Coverage | None:
    errors = asked.errors
    if len(errors) < FEWEST_FOR_COVERAGE:
        return None
    order = np.random.default_rng(0).permutation(len(errors))
    learned, tried = np.sort(errors[order[::2]]), errors[order[1::2]]
    # The finite-sample quantile of split conformal prediction: Lei et al. 2018, algorithm 2.
    place = min(int(np.ceil(LEVEL * (len(learned) + 1))), len(learned)) - 1
    width = float(learned[place])
    return Coverage(level=LEVEL, half_width=width, covered=float((tried <= width).mean()), n_rows=len(tried))
