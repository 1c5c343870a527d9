"""Trains and evaluates the torch kinds: from a segment to a checkpoint, and from a checkpoint to metrics."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from pydantic import ValidationError

from pegbox.schemas.arrays import Splits
from pegbox.schemas.base import Metrics, parted
from pegbox.schemas.errors import DataError
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.train import TorchTrain
from pegbox.schemas.trial import Evaluation, MetricReport, Segment, TrainedSegment
from pegbox.training.checkpoint import read_checkpoint, write_checkpoint
from pegbox.training.early_stopping import Patience
from pegbox.training.failures import failed
from pegbox.training.hyperparameters.optimisation import OptimisationHyperparameters
from pegbox.training.hyperparameters.torch_kinds import TORCH_KINDS
from pegbox.training.loop import Learner
from pegbox.training.metrics import Measured, classification_metrics, prefixed, regression_metrics
from pegbox.training.precision import Precision
from pegbox.training.resources import peak_memory_bytes, process_name, reset_peak_memory
from pegbox.training.tensors import FoldTensors, fold_tensors
from pegbox.training.trainer import EvaluatedPart, Report


class TorchTrainer:
    """A `Trainer` for every kind that pegbox builds with torch; a trial continues from its checkpoint bit for bit."""

    def train(self, segment: Segment, data: Splits | None, checkpoints: Path, report: Report) -> TrainedSegment:
        """See `Trainer.train`; each epoch reports losses, metrics and the learning rate."""
        started_at, started = time.time(), time.perf_counter()
        _reset_peak_memory()
        learner, patience, restarted = open_segment(segment, data)
        reports = _train_to(segment.to_budget, learner, patience, report)
        trained = finish_segment(segment, learner, patience, reports, checkpoints)
        seconds = time.perf_counter() - started
        return trained.model_copy(update={"seconds": seconds, "started_at": started_at, "restarted": restarted})

    def evaluate(
        self, segment: Segment, trained: TrainedSegment, data: Splits | None, part: EvaluatedPart
    ) -> Evaluation:
        """See `Trainer.evaluate`; with patience the best epoch's weights are measured, without it the last one's."""
        if trained.checkpoint is None:
            raise failed(FailureKind.INVALID, "there is no checkpoint to evaluate. Train the trial again.")
        learner, _ = _learner(segment, data)
        state = read_checkpoint(trained.checkpoint, recipe_of(segment))
        learner.model.load_state_dict(state["patience"]["weights"] or state["model"])
        metrics, unusable = parted(prefixed(part, _measure(learner, part)))
        loss = "val_loss" if part == "valid" else "test_loss"
        if loss in unusable:
            raise failed(FailureKind.DIVERGED, f"{loss} is not finite after {trained.budget} epochs. Lower lr.")
        return Evaluation(
            budget=trained.budget,
            metrics=metrics | {"parameters": float(learner.n_parameters)},
            unusable=unusable,
            seconds=trained.seconds,
            replicate=segment.replicate,
        )


def open_segment(segment: Segment, data: Splits | None) -> tuple[Learner, Patience, bool]:
    """A learner where the segment begins, its patience, and True if it had to restart from zero.

    Raises:
        TrialError: The configuration, the data or the checkpoint cannot be used.
    """
    learner, patience = _learner(segment, data)
    if segment.checkpoint is None or not segment.checkpoint.exists():
        return learner, patience, segment.from_budget > 0
    state = read_checkpoint(segment.checkpoint, recipe_of(segment))
    learner.restore(state)
    patience.restore(state["patience"])
    return learner, patience, False


def finish_segment(
    segment: Segment, learner: Learner, patience: Patience, reports: Sequence[MetricReport], checkpoints: Path
) -> TrainedSegment:
    """Write the checkpoint of a segment that has ended; who trained it adds the times."""
    path = checkpoints / f"{segment.content_key(learner.fold.fingerprint)}.pt"
    state = learner.state() | {"patience": patience.state(), "recipe": recipe_of(segment)}
    write_checkpoint(path, state)
    return TrainedSegment(
        budget=learner.epoch,
        checkpoint=path,
        reports=tuple(reports),
        seconds=0.0,
        device=str(learner.device),
        peak_memory_bytes=_peak_memory(learner.device),
        worker=process_name(),
        stopped_early=learner.epoch < segment.to_budget,
    )


def _learner(segment: Segment, data: Splits | None) -> tuple[Learner, Patience]:
    """A fresh learner for the segment's configuration, seed and data."""
    train = segment.train
    if not isinstance(train, TorchTrain):
        raise failed(FailureKind.INVALID, f"a torch trainer cannot train the kind {train.kind!r}.")
    if data is None:
        raise failed(FailureKind.INVALID, f"a {train.kind} needs data. Add `data:` to the study.")
    if train.task is not None and train.task != data.info.task:
        raise DataError(f"train.task is {train.task}, but the target is one of {data.info.task}. Correct train.task.")
    device = choose_device(train.device)
    learner = Learner(
        settings_of(segment),
        fold_tensors(data, segment.fold, device),
        n_epochs=max(train.epochs, segment.to_budget),
        seed=segment.seed,
        precision=Precision(train.precision, device),
    )
    return learner, Patience(train.patience)


def choose_device(asked: Literal["auto", "cpu", "cuda"]) -> torch.device:
    """The device to train on; `auto` takes a GPU where there is one.

    Raises:
        TrialError: CUDA is asked for and not there.
    """
    has_cuda = torch.cuda.is_available()
    if asked == "cuda" and not has_cuda:
        raise failed(FailureKind.INVALID, "device is cuda, but torch sees no GPU here. Write `device: auto`.")
    return torch.device("cuda" if has_cuda and asked != "cpu" else "cpu")


def settings_of(segment: Segment) -> OptimisationHyperparameters:
    """The hyperparameters of a segment's configuration.

    Raises:
        TrialError: They cannot be built.
    """
    kind = TORCH_KINDS[segment.train.kind]
    try:
        return kind.model_validate(dict(segment.configuration))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"])) or segment.train.kind
        message = f"the configuration cannot be built: {name}: {first['msg']} (got {first['input']!r})."
        raise failed(FailureKind.INVALID, message) from error


def recipe_of(segment: Segment) -> str:
    """What two segments must share for one to continue the other."""
    content = {"kind": segment.train.kind, "seed": segment.seed, **settings_of(segment).model_dump(mode="json")}
    return json.dumps(content, sort_keys=True)


def _train_to(budget: int, learner: Learner, patience: Patience, report: Report) -> list[MetricReport]:
    reports = []
    while learner.epoch < budget and not patience.is_over(learner.epoch):
        metrics: Metrics = learner.train_epoch()
        patience.watch(learner.epoch, metrics["val_loss"], learner.model)
        reports.append(MetricReport(step=learner.epoch, metrics=metrics))
        report(learner.epoch, metrics)
    return reports


def _measure(learner: Learner, part: EvaluatedPart) -> Measured:
    fold: FoldTensors = learner.fold
    if part not in fold.parts:
        raise failed(FailureKind.INVALID, f"no rows are held out for the part {part!r}. Set data.split.test above 0.")
    rows = fold.parts[part]
    outputs = learner.outputs(rows)
    if fold.task == "classification":
        return classification_metrics(torch.log_softmax(outputs, dim=1).cpu().numpy(), rows.raw_target)
    predicted = outputs[:, 0].cpu().numpy().astype(np.float64) * fold.target_std + fold.target_mean
    return regression_metrics(predicted, rows.raw_target, fold.target_std)


def _reset_peak_memory() -> None:
    reset_peak_memory()
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def _peak_memory(device: torch.device) -> int | None:
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else peak_memory_bytes()
