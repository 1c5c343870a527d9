"""What is measured of predictions, in numpy, finite or not; who evaluates puts the part's name before each metric."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Measured = dict[str, float]
"""Metric name to value; NaN where it is not defined."""

Codes = npt.NDArray[np.int64]


def classification_metrics(log_probabilities: Floats, target: Codes) -> Measured:
    """Cross-entropy in nats, `label_metrics`, and of two classes `ranking_metrics`.

    Args:
        log_probabilities: Shape (n_rows, n_classes), each row normalised.
        target: Class codes, shape (n_rows,).
    """
    n_classes = log_probabilities.shape[1]
    metrics = {"loss": float(-log_probabilities[np.arange(len(target)), target].mean(dtype=np.float64))}
    metrics |= label_metrics(log_probabilities.argmax(axis=1), target, n_classes)
    if n_classes == 2:
        metrics |= ranking_metrics(log_probabilities[:, 1] - log_probabilities[:, 0], target == 1)
    return metrics


def label_metrics(predicted: Codes, target: Codes, n_classes: int) -> Measured:
    """Accuracy, its mean over the classes (balanced accuracy), and macro F1 of predicted class codes."""
    return {
        "accuracy": float((predicted == target).mean()),
        "balanced_accuracy": balanced_accuracy(predicted, target, n_classes),
        "f1": macro_f1(predicted, target, n_classes),
    }


def ranking_metrics(score: Floats, positive: npt.NDArray[np.bool_]) -> Measured:
    """Areas under the ROC curve and under the precision-recall curve; NaN where all rows are of one class."""
    return {"roc_auc": roc_auc(score, positive), "pr_auc": pr_auc(score, positive)}


def balanced_accuracy(predicted: Codes, target: Codes, n_classes: int) -> float:
    """Mean over the classes that occur of the share of their rows that is found (recall)."""
    present = np.bincount(target, minlength=n_classes)
    hits = np.bincount(target[predicted == target], minlength=n_classes)
    occurs = present > 0
    return float((hits[occurs] / present[occurs]).mean())


def macro_f1(predicted: Codes, target: Codes, n_classes: int) -> float:
    """Mean over the classes that occur of F1 = 2 TP / (2 TP + FP + FN)."""
    hits = np.bincount(target[predicted == target], minlength=n_classes)
    claimed = np.bincount(predicted, minlength=n_classes)
    present = np.bincount(target, minlength=n_classes)
    occurs = claimed + present > 0
    return float((2 * hits[occurs] / (claimed + present)[occurs]).mean())


def roc_auc(score: Floats, positive: npt.NDArray[np.bool_]) -> float:
    """Probability that a positive row scores above a negative one, ties counted half; NaN with one class only.

    Source: Hanley & McNeil 1982; by the rank sum of Mann & Whitney.
    """
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if not n_positive or not n_negative:
        return float("nan")
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    return float((ranks[positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def pr_auc(score: Floats, positive: npt.NDArray[np.bool_]) -> float:
    """Area under the precision-recall curve as average precision, AP = sum of (R_n - R_(n-1)) P_n; NaN with one class.

    Rows of equal score are one step of the curve. A model that knows nothing gets the share of positive rows.

    Source: as `sklearn.metrics.average_precision_score`; Davis & Goadrich 2006 on why not by the trapezoidal rule.
    """
    n_positive = int(positive.sum())
    if not n_positive or n_positive == len(positive):
        return float("nan")
    order = np.argsort(-score, kind="stable")
    last = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    hits = np.cumsum(positive[order])[last]
    return float((np.diff(hits, prepend=0) * hits / (last + 1)).sum() / n_positive)


def regression_metrics(predicted: Floats, target: Floats, scale: float) -> Measured:
    """Root mean squared and mean absolute error in the target's own units, and R².

    Args:
        predicted: In the target's own units, shape (n_rows,).
        target: Same shape and units.
        scale: Standard deviation of the target in the training part; `loss` is the squared error in units of it.
    """
    error = predicted.astype(np.float64) - target
    squared = float((error**2).mean())
    spread = float(((target - target.mean(dtype=np.float64)) ** 2).mean(dtype=np.float64))
    return {
        "loss": squared / scale**2,
        "rmse": squared**0.5,
        "mae": float(np.abs(error).mean()),
        "r2": 1 - squared / spread if spread > 0 else float("nan"),
    }


def prefixed(part: str, metrics: Measured) -> Measured:
    """`accuracy` of the part valid is `val_accuracy`."""
    prefix = {"valid": "val", "train": "train", "test": "test"}[part]
    return {f"{prefix}_{name}": value for name, value in metrics.items()}
