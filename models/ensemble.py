"""Greedy ensemble selection among trained models (Caruana et al. 2004), kept only where it is better beyond noise."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pegbox.schemas.selection import Interval
from pegbox.training.model_form import Floats, Predictor

Outputs = npt.NDArray[np.float64]
"""Of each model, shape (n_models, n_rows, n_outputs): probabilities or votes of classes, or one number."""
Losses = npt.NDArray[np.float64]

# Caruana et al. 2004, section 3: with replacement, so that a model counts by how often it is drawn; the loss is flat
# after some tens of draws among few models.
N_DRAWS = 25
FEWEST_ROWS = 20
"""That say anything of a gain: picked by hand, ten to select and ten to judge."""
Z_95 = 1.959964
"""Quantile of the normal distribution."""


class Ensemble(NamedTuple):
    """What came of the selection.

    Attributes:
        weights: Of each candidate, adding up to 1; the winner is the first candidate.
        gain: By how much its mean loss is below the winner's, on rows that did not select it.
        interval: Of that.
    """

    weights: tuple[float, ...]
    gain: float
    interval: Interval

    @property
    def is_better(self) -> bool:
        """True if it beats the winner beyond noise."""
        return self.interval.low > 0 and max(self.weights) < 1


def select_ensemble(outputs: Outputs, target: npt.NDArray[np.float64 | np.int64]) -> Ensemble:
    """Select on all rows, and judge by two halves, each of which is selected for on the other.

    Judged on the rows that selected it, an ensemble of random models would look better than the best of them.

    Args:
        outputs: The winner's first.
        target: Class codes, or numbers, shape (n_rows,).
    """
    if len(target) < FEWEST_ROWS:
        return Ensemble((1.0, *(0.0 for _ in outputs[1:])), 0.0, Interval(low=0, high=0))
    order = np.random.default_rng(0).permutation(len(target))
    halves = (order[::2], order[1::2])
    gains = np.zeros(len(target))
    for selecting, judging in (halves, halves[::-1]):
        weights = _greedy(outputs[:, selecting], target[selecting])
        mixed = _mixed(outputs[:, judging], weights)
        gains[judging] = losses(outputs[0, judging], target[judging]) - losses(mixed, target[judging])
    mean = float(gains.mean())
    half = Z_95 * float(gains.std(ddof=1)) / len(gains) ** 0.5
    return Ensemble(tuple(_greedy(outputs, target).tolist()), mean, Interval(low=mean - half, high=mean + half))


def _greedy(outputs: Outputs, target: npt.NDArray[np.float64 | np.int64]) -> Outputs:
    """Share of the draws of each model: each draw adds the model with which the mean so far loses least."""
    counts, total = np.zeros(len(outputs)), np.zeros_like(outputs[0])
    best, best_counts = np.inf, counts
    for n_drawn in range(1, N_DRAWS + 1):
        means = [losses((total + one) / n_drawn, target).mean() for one in outputs]
        drawn = int(np.argmin(means))
        counts[drawn] += 1
        total = total + outputs[drawn]
        if means[drawn] < best:  # the best of all draws, not the last
            best, best_counts = float(means[drawn]), counts.copy()
    shares: Outputs = best_counts / best_counts.sum()
    return shares


def _mixed(outputs: Outputs, weights: Outputs) -> Outputs:
    mixed: Outputs = np.tensordot(weights, outputs, axes=1)
    return mixed


def losses(outputs: Outputs, target: npt.NDArray[np.float64 | np.int64]) -> Losses:
    """Of each row, shape (n_rows,): cross-entropy in nats, or the squared error of one number."""
    if outputs.shape[1] == 1:
        squared: Losses = (outputs[:, 0] - target) ** 2
        return squared
    picked = outputs[np.arange(len(target)), target.astype(np.int64)]
    # Votes may leave a class without any: what a model would lose by certainty is bounded, as in scikit-learn's
    # log_loss, or one row would decide.
    found: Losses = -np.log(np.clip(picked, np.finfo(np.float32).eps, 1))
    return found


class EnsemblePredictor:
    """A `Predictor` that is the weighted mean of several: of probabilities, votes, or numbers.

    Args:
        predictors: Its members.
        weights: One for each, adding up to 1.
        n_classes: 0 for regression.
    """

    def __init__(self, predictors: Sequence[Predictor], weights: Sequence[float], n_classes: int) -> None:
        self.predictors, self.weights, self.n_classes = tuple(predictors), tuple(weights), n_classes

    @property
    def has_probabilities(self) -> bool:
        """True where all members have them."""
        return self.n_classes > 0 and all(one.has_probabilities for one in self.predictors)

    def predict(self, numeric: npt.NDArray[np.float32], categorical: npt.NDArray[np.int64]) -> Floats:
        """See `Predictor.predict`."""
        mixed = self._mixed(numeric, categorical)
        return mixed.argmax(axis=1) if self.n_classes else mixed[:, 0]

    def predict_proba(self, numeric: npt.NDArray[np.float32], categorical: npt.NDArray[np.int64]) -> Floats:
        """See `Predictor.predict_proba`."""
        return self._mixed(numeric, categorical)

    def _mixed(self, numeric: npt.NDArray[np.float32], categorical: npt.NDArray[np.int64]) -> Outputs:
        # One member after the other: of a million rows only one member's answers are held beside the mean.
        pairs = zip(self.weights, self.predictors, strict=True)
        mixed: Outputs = sum(  # type: ignore[assignment]
            weight * outputs_of(one, numeric, categorical, self.n_classes) for weight, one in pairs
        )
        return mixed


def outputs_of(
    predictor: Predictor, numeric: npt.NDArray[np.float32], categorical: npt.NDArray[np.int64], n_classes: int
) -> Outputs:
    """Probabilities, votes where there are none, or numbers; shape (n_rows, n_classes or 1)."""
    if predictor.has_probabilities:
        return np.asarray(predictor.predict_proba(numeric, categorical), dtype=np.float64)
    said = np.asarray(predictor.predict(numeric, categorical))
    return np.eye(n_classes)[said.astype(np.int64)] if n_classes else said.astype(np.float64)[:, None]
