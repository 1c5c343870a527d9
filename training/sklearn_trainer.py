"""Trains and evaluates scikit-learn estimators; what an epoch is to them stands in `estimator_budget`."""

import json
import pickle
import random
import time
from collections.abc import Mapping
from functools import partial
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor

from pegbox.schemas.arrays import Splits
from pegbox.schemas.base import parted
from pegbox.schemas.errors import TrialError, suggest
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.train import SklearnTrain
from pegbox.schemas.trial import Evaluation, MetricReport, Segment, TrainedSegment
from pegbox.training.atomic_files import write_in_one_step
from pegbox.training.estimator_budget import EstimatorGrowth
from pegbox.training.estimator_data import EstimatorPart, estimator_part
from pegbox.training.failures import failed
from pegbox.training.metrics import (
    Floats,
    Measured,
    classification_metrics,
    label_metrics,
    prefixed,
    ranking_metrics,
    regression_metrics,
)
from pegbox.training.resources import peak_memory_bytes, process_name, reset_peak_memory
from pegbox.training.row_losses import keep_row_losses, rows_of_classes, rows_of_labels, rows_of_numbers
from pegbox.training.trainer import EvaluatedPart, Report
from pegbox.training.user_code import import_function

# Picked by hand: the default that scikit-learn's log_loss had for years, so that figures can be compared with it.
_SMALLEST_PROBABILITY = 1e-15
"""What a class counts as that an estimator calls impossible, so that one row cannot make the loss infinite."""


class SklearnTrainer:
    """A `Trainer` for estimators; the fitted estimator is the checkpoint."""

    def train(self, segment: Segment, data: Splits | None, checkpoints: Path, report: Report) -> TrainedSegment:
        """See `Trainer.train`; each epoch reports the metrics of the validation part."""
        data, train = _required(segment, data)
        started_at, started = time.time(), time.perf_counter()
        reset_peak_memory()
        estimator = build_estimator(train, segment)
        _refuse_other_task(estimator, train.estimator, data)
        # One epoch of its own is the whole fit, however far the networks beside it are trained in a study of families.
        n_epochs = max(train.epochs, segment.to_budget) if train.epochs > 1 else 1
        growth = EstimatorGrowth(estimator, n_epochs, segment.seed)
        epoch, restarted = 0, segment.from_budget > 0
        if segment.checkpoint is not None and segment.checkpoint.exists():
            estimator, epoch = read_estimator(segment.checkpoint, segment)
            restarted = False
        reports = _grow(estimator, growth, epoch, segment, data, report)
        path = checkpoints / f"{segment.content_key(data.info.fingerprint)}.pkl"
        state = {"recipe": _recipe(segment), "epoch": max(epoch, segment.to_budget), "estimator": estimator}
        write_in_one_step(path, lambda file: file.write_bytes(pickle.dumps(state)))
        return TrainedSegment(
            budget=state["epoch"],
            checkpoint=path,
            reports=tuple(reports),
            seconds=time.perf_counter() - started,
            peak_memory_bytes=peak_memory_bytes(),
            worker=process_name(),
            started_at=started_at,
            restarted=restarted,
        )

    def evaluate(
        self, segment: Segment, trained: TrainedSegment, data: Splits | None, part: EvaluatedPart
    ) -> Evaluation:
        """See `Trainer.evaluate`; an estimator without probabilities has no loss."""
        data, _ = _required(segment, data)
        if trained.checkpoint is None:
            raise failed(FailureKind.INVALID, "there is no checkpoint to evaluate. Train the trial again.")
        estimator, _ = read_estimator(trained.checkpoint, segment)
        metrics, unusable = parted(_measure(estimator, data, segment, part))
        return Evaluation(
            budget=trained.budget,
            metrics=metrics,
            unusable=unusable,
            seconds=trained.seconds,
            replicate=segment.replicate,
            rows=keep_row_losses(segment, trained, data, partial(_rows, estimator, data, segment))
            if part == "valid"
            else (),
        )


def _required(segment: Segment, data: Splits | None) -> tuple[Splits, SklearnTrain]:
    if not isinstance(segment.train, SklearnTrain):
        raise failed(FailureKind.INVALID, f"a scikit-learn trainer cannot train the kind {segment.train.kind!r}.")
    if data is None:
        raise failed(FailureKind.INVALID, "an estimator needs data. Add `data:` to the study.")
    return data, segment.train


def build_estimator(train: SklearnTrain, segment: Segment) -> Any:
    """A fresh estimator with the configuration and, where it takes one and none is given, the seed.

    Raises:
        TrialError: There is no such estimator, or it has no such parameter.
    """
    kind = import_function(train.estimator)
    try:
        estimator = kind()
        known = estimator.get_params(deep=True)
    except (TypeError, AttributeError) as error:
        message = f"{train.estimator} is no estimator that can be made without arguments: {error}."
        raise failed(FailureKind.INVALID, message) from error
    others = {name: value for name, value in segment.configuration.items() if name not in known}
    if others and not _takes_any(kind):
        name = next(iter(others))
        raise failed(FailureKind.INVALID, f"{train.estimator} has no parameter {name!r}. {suggest(name, known)}")
    ours = {name: value for name, value in segment.configuration.items() if name in known}
    return kind(**others).set_params(**{**_seed_parameter(known, segment.seed), **ours})


def _takes_any(kind: Any) -> bool:
    """True for a class that hands on what it does not name, as LightGBM's and XGBoost's do."""
    return any(one.kind is Parameter.VAR_KEYWORD for one in signature(kind).parameters.values())


def _seed_parameter(known: Mapping[str, Any], seed: int) -> dict[str, int]:
    return {"random_state": seed % 2**32} if "random_state" in known else {}


def _refuse_other_task(estimator: Any, name: str, data: Splits) -> None:
    fits = is_classifier(estimator) if data.info.task == "classification" else is_regressor(estimator)
    if not fits:
        message = f"{name} does not do {data.info.task}, which the target column asks for. Choose another estimator."
        raise failed(FailureKind.INVALID, message)


def _grow(
    estimator: Any, growth: EstimatorGrowth, epoch: int, segment: Segment, data: Splits, report: Report
) -> list[MetricReport]:
    """Train the estimator epoch by epoch to the end of its segment."""
    random.seed(segment.seed)
    np.random.seed(segment.seed % 2**32)  # noqa: NPY002 - what estimators without random_state draw from
    part = _part(data, segment, "train")
    classes = np.arange(len(data.info.classes)) if is_classifier(estimator) else None
    reports: list[MetricReport] = []
    while epoch < segment.to_budget:
        epoch += 1
        growth.grow(estimator, epoch, part, classes)
        if not reports or growth.kind != "whole":  # what is fitted whole answers the same ever after
            metrics, unusable = parted(_measure(estimator, data, segment, "valid"))
        reports.append(MetricReport(step=epoch, metrics=metrics, unusable=unusable))
        report(epoch, reports[-1].metrics)
    return reports


def _part(data: Splits, segment: Segment, name: str) -> EstimatorPart:
    part = estimator_part(data, segment.fold, name)
    if part is None:
        raise failed(FailureKind.INVALID, f"no rows are held out for the part {name!r}. Set data.split.test above 0.")
    return part


def _measure(estimator: Any, data: Splits, segment: Segment, name: EvaluatedPart) -> Measured:
    part = _part(data, segment, name)
    if data.info.task == "regression":
        metrics = regression_metrics(_numbers(estimator, part), part.target, data.target_scale[1])
        if not np.isfinite(metrics["loss"]):
            raise failed(FailureKind.DIVERGED, f"the loss of the part {name!r} is not finite. Scale the target down.")
        return prefixed(name, metrics)
    n_classes = len(data.info.classes)
    if hasattr(estimator, "predict_proba"):
        return prefixed(name, classification_metrics(_log_probabilities(estimator, part, n_classes), part.target))
    return prefixed(name, _metrics_without_probabilities(estimator, part, n_classes))


def _rows(estimator: Any, data: Splits, segment: Segment, metric: str) -> Floats | None:
    """A metric of the validation part row by row; None where it is measured otherwise."""
    part, n_classes = _part(data, segment, "valid"), len(data.info.classes)
    if data.info.task == "regression":
        return rows_of_numbers(metric, _numbers(estimator, part), part.target, data.target_scale[1])
    if hasattr(estimator, "predict_proba"):
        return rows_of_classes(metric, _log_probabilities(estimator, part, n_classes), part.target)
    return rows_of_labels(metric, estimator.predict(part.inputs), part.target, n_classes)


def _numbers(estimator: Any, part: EstimatorPart) -> Floats:
    return np.asarray(estimator.predict(part.inputs), dtype=np.float64).reshape(len(part.target))


def _log_probabilities(estimator: Any, part: EstimatorPart, n_classes: int) -> Floats:
    probabilities = np.full((len(part.target), n_classes), _SMALLEST_PROBABILITY)
    probabilities[:, estimator.classes_] = np.maximum(estimator.predict_proba(part.inputs), _SMALLEST_PROBABILITY)
    logarithms: Floats = np.log(probabilities)
    return logarithms


def _metrics_without_probabilities(estimator: Any, part: EstimatorPart, n_classes: int) -> Measured:
    predicted = estimator.predict(part.inputs)
    metrics = label_metrics(predicted, part.target, n_classes)
    if n_classes == 2 and hasattr(estimator, "decision_function"):
        metrics |= ranking_metrics(estimator.decision_function(part.inputs), part.target == 1)
    return metrics


def _recipe(segment: Segment) -> str:
    """What two segments must share for one to continue the other."""
    content = segment.model_dump(mode="json", include={"configuration", "seed", "train"})
    return json.dumps(content, sort_keys=True)


def read_estimator(path: Path, segment: Segment) -> tuple[Any, int]:
    """The fitted estimator that a segment like this one left behind, and its epoch.

    Raises:
        TrialError: The file is damaged, or belongs to another estimator.
    """
    try:
        state = pickle.loads(path.read_bytes())  # noqa: S301 - written by this trainer
        found, estimator, epoch = state["recipe"], state["estimator"], int(state["epoch"])
    except Exception as error:  # pickle raises whatever the damaged bytes make it meet
        raise _unusable(path, f"is damaged ({type(error).__name__}: {error})") from error
    if found != (recipe := _recipe(segment)):
        raise _unusable(path, f"holds another estimator: expected {recipe}, got {found}")
    return estimator, epoch


def _unusable(path: Path, what: str) -> TrialError:
    message = f"the checkpoint {path} {what}. Delete it; the trial then trains from zero."
    return failed(FailureKind.INVALID, message)
