"""Computes a metric row by row (a jackknife where it is no mean over rows), and keeps it beside the checkpoint."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from pegbox.schemas.arrays import Splits
from pegbox.schemas.plan import Objective
from pegbox.schemas.row_losses import RowLosses
from pegbox.schemas.trial import Segment, TrainedSegment
from pegbox.training.atomic_files import write_in_one_step
from pegbox.training.metrics import (
    Codes,
    Floats,
    Measured,
    classification_metrics,
    label_metrics,
    regression_metrics,
)

# Picked by hand: the spread of a hundred pseudo-values is known to 7 %, and each costs a measurement of all rows.
N_GROUPS = 100
"""Groups of rows that a jackknife leaves out, one after the other."""

Measure = Callable[[Any], Measured]
"""The metrics of some of the rows, given by their numbers."""


def rows_of_classes(metric: str, log_probabilities: Floats, target: Codes) -> Floats | None:
    """A metric of `classification_metrics` row by row; None where it is not defined.

    Args:
        metric: Without the name of the part.
        log_probabilities: Shape (n_rows, n_classes), each row normalised.
        target: Class codes, shape (n_rows,).
    """
    if metric == "loss":
        return -log_probabilities[np.arange(len(target)), target].astype(np.float64)
    if metric == "accuracy":
        return np.asarray(log_probabilities.argmax(axis=1) == target, dtype=np.float64)
    return _jackknife(metric, len(target), lambda rows: classification_metrics(log_probabilities[rows], target[rows]))


def rows_of_labels(metric: str, predicted: Codes, target: Codes, n_classes: int) -> Floats | None:
    """A metric of `label_metrics` row by row; None where it is not defined."""
    if metric == "accuracy":
        return np.asarray(predicted == target, dtype=np.float64)
    return _jackknife(metric, len(target), lambda rows: label_metrics(predicted[rows], target[rows], n_classes))


def rows_of_numbers(metric: str, predicted: Floats, target: Floats, scale: float) -> Floats | None:
    """A metric of `regression_metrics` row by row; None where it is not defined."""
    error = predicted.astype(np.float64) - target
    match metric:
        case "loss":
            return error**2 / scale**2
        case "mae":
            return np.abs(error)
        case "rmse":
            # First order in what a row adds to the mean square: r + (e_i^2 - r^2) / 2r, whose mean is r.
            root = float(np.sqrt((error**2).mean())) or 1.0
            return root + (error**2 - root**2) / (2 * root)
    return _jackknife(metric, len(target), lambda rows: regression_metrics(predicted[rows], target[rows], scale))


def _jackknife(metric: str, n_rows: int, measure: Measure) -> Floats | None:
    """Pseudo-values G t - (G - 1) t_(-g) of the groups g of rows, shape (G,).

    Source: Tukey 1958; Efron 1982, chapter 2 (of groups: section 2.2).
    """
    numbers = np.arange(n_rows)
    n_groups = min(N_GROUPS, n_rows)
    whole = measure(numbers).get(metric)
    if whole is None or n_groups < 2:
        return None
    without = np.array([measure(numbers[numbers % n_groups != group])[metric] for group in range(n_groups)])
    values = n_groups * whole - (n_groups - 1) * without
    return values if np.isfinite(values).all() else None


def keep_row_losses(
    segment: Segment, trained: TrainedSegment, data: Splits, values_of: Callable[[str], Floats | None]
) -> tuple[Path, ...]:
    """Keep what a fresh seed of a finalist lost on each validation row, of the study's first objective.

    The file has the name of the checkpoint, and stays as long.

    Args:
        segment: Of the fresh seed; of any other nothing is kept.
        trained: What was measured.
        data: What it was measured on.
        values_of: Gives a metric row by row, without the name of the part.

    Returns:
        Where they are; nothing where the objective is none of what the trainer measures of rows.
    """
    if segment.replicate is None or trained.checkpoint is None or not segment.objectives:
        return ()
    metric = segment.objectives[0].removeprefix("val_")
    values = values_of(metric)
    if values is None:
        return ()
    path = trained.checkpoint.with_suffix(".npz")
    sizes = np.array([len(data.valid), len(data.train)])
    write_in_one_step(path, lambda file: _save(file, values, sizes, f"{data.info.fingerprint}/{segment.fold}"))
    return (path,)


def _save(file: Path, values: Floats, sizes: Codes, data: str) -> None:
    with file.open("wb") as stream:  # a stream, as numpy adds a suffix to a name
        np.savez_compressed(stream, values=values.astype(np.float32), sizes=sizes, data=np.array(data))


def read_row_losses(path: Path) -> RowLosses | None:
    """What was kept; None where it is gone or cannot be read."""
    try:
        with path.open("rb") as stream, np.load(stream) as kept:  # numpy leaves a damaged file open
            n_rows, n_train = kept["sizes"].tolist()
            return RowLosses(kept["values"].astype(np.float64), n_rows, n_train, str(kept["data"]))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None


def rows_as_losses(folds: Sequence[RowLosses], objective: Objective) -> RowLosses:
    """The rows of one seed over all its folds, less is better."""
    return RowLosses(
        values=objective.loss(1.0) * np.concatenate([fold.values for fold in folds]),
        n_rows=sum(fold.n_rows for fold in folds),
        n_train=sum(fold.n_train for fold in folds) // len(folds),
        data=" ".join(fold.data for fold in folds),
    )
