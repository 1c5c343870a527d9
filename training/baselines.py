"""What needs no tuning reaches on the validation rows: a constant, and a linear model; bounded for large tables."""

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import log_softmax

from pegbox.schemas.arrays import Part, Splits
from pegbox.schemas.base import Metrics
from pegbox.schemas.understanding import Baseline
from pegbox.training.metrics import Measured, classification_metrics, regression_metrics

Floats = npt.NDArray[np.float64]

MOST_CELLS = 4_000_000
"""Of training rows times inputs times classes: a linear model of so many is fitted in about a second."""
# Picked by hand: rare levels add columns and hardly any fit.
MOST_LEVELS = 30
"""Of a category that get an input of their own; the others share what is left."""
# Picked by hand: the normal equations cost its cube.
MOST_INPUTS = 2_000
RIDGE = 1e-3
"""Penalty of squared weights, a row; picked by hand: enough where inputs repeat each other, and little elsewhere."""
# Picked by hand: a baseline is a yardstick and need not be the optimum.
MOST_STEPS = 60


def measure_baselines(data: Splits) -> tuple[Baseline, ...]:
    """The metrics of a constant and of a linear model, without a part's name before them.

    A table that is too large for a second's work is sampled for the fit; all validation rows are measured.
    """
    inputs, valid = _inputs(data, data.train), _inputs(data, data.valid)
    n_rows = max(1, MOST_CELLS // (inputs.shape[1] * max(1, len(data.info.classes))))
    # A fixed seed: the yardstick of one table must not move from run to run.
    rows = np.random.default_rng(0).permutation(len(inputs))[:n_rows]
    measured = _of_numbers if data.info.task == "regression" else _of_classes
    return measured(data, inputs[rows], rows, valid)


def _of_numbers(data: Splits, inputs: Floats, rows: npt.NDArray[np.int64], valid: Floats) -> tuple[Baseline, ...]:
    seen, target = np.asarray(data.train.target, np.float64), np.asarray(data.valid.target, np.float64)
    mean, scale = float(seen.mean()), float(seen.std()) or 1.0
    weights = _least_squares(inputs, (seen[rows] - mean) / scale)
    return (
        Baseline(name="mean", metrics=_finite(regression_metrics(np.full(len(target), mean), target, scale))),
        Baseline(name="linear", metrics=_finite(regression_metrics(valid @ weights * scale + mean, target, scale))),
    )


def _of_classes(data: Splits, inputs: Floats, rows: npt.NDArray[np.int64], valid: Floats) -> tuple[Baseline, ...]:
    classes = data.info.classes
    seen, target = np.asarray(data.train.target, np.int64), np.asarray(data.valid.target, np.int64)
    # A class that training lacks counts as one row, so that no loss is infinite.
    counts = np.maximum(np.bincount(seen, minlength=len(classes)), 1)
    constant = np.tile(np.log(counts / counts.sum()), (len(target), 1))
    linear = log_softmax(valid @ _logistic(inputs, seen[rows], len(classes)), axis=1)
    return (
        Baseline(
            name=f"always {classes[int(counts.argmax())]!r}", metrics=_finite(classification_metrics(constant, target))
        ),
        Baseline(name="linear", metrics=_finite(classification_metrics(linear, target))),
    )


def _finite(measured: Measured) -> Metrics:
    """What the validation rows define; the area under a curve of one class is not."""
    return {name: value for name, value in measured.items() if np.isfinite(value)}


def _inputs(data: Splits, part: Part) -> Floats:
    """A one, the numbers, and an input for each of the first levels of every category, shape (n_rows, n_inputs)."""
    columns = [np.ones((len(part), 1)), np.asarray(part.numeric, dtype=np.float64)]
    for i, cardinality in enumerate(data.info.cardinalities):
        levels = np.arange(1, min(cardinality, MOST_LEVELS + 1))
        columns.append((part.categorical[:, i, None] == levels).astype(np.float64))
    return np.hstack(columns)[:, :MOST_INPUTS]


def _least_squares(inputs: Floats, target: Floats) -> Floats:
    """Ridge regression by its normal equations."""
    penalty = np.full(inputs.shape[1], RIDGE * len(inputs))
    penalty[0] = 0
    # The last term keeps the matrix regular where inputs repeat each other exactly.
    normal = inputs.T @ inputs + np.diag(penalty) + 1e-9 * np.eye(len(penalty))
    return np.asarray(np.linalg.solve(normal, inputs.T @ target), np.float64)


def _logistic(inputs: Floats, codes: npt.NDArray[np.int64], n_classes: int) -> Floats:
    """Multinomial logistic regression, shape (n_inputs, n_classes)."""
    hot = np.eye(n_classes)[codes]
    penalty = np.full((inputs.shape[1], 1), RIDGE)
    penalty[0] = 0

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(inputs.shape[1], n_classes)
        log_p = log_softmax(inputs @ weights, axis=1)
        gradient = inputs.T @ (np.exp(log_p) - hot) / len(inputs) + penalty * weights
        return float(-(hot * log_p).sum() / len(inputs) + (penalty * weights**2).sum() / 2), gradient.ravel()

    start = np.zeros(inputs.shape[1] * n_classes)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": MOST_STEPS})
    return np.asarray(found.x).reshape(inputs.shape[1], n_classes)
