"""Trains and evaluates the torch kinds: from a segment to a checkpoint, and from a checkpoint to metrics."""

import time
from collections.abc import Sequence
from pathlib import Path

from pegbox.schemas.arrays import Splits
from pegbox.schemas.base import Metrics, parted
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.trial import Evaluation, MetricReport, Segment, TrainedSegment
from pegbox.training.checkpoint import read_checkpoint, weights_for, write_checkpoint
from pegbox.training.devices import choose_device, peak_memory, reset_peak
from pegbox.training.early_stopping import Patience
from pegbox.training.failures import failed
from pegbox.training.interim_checkpoint import InterimCheckpoint
from pegbox.training.metrics import prefixed
from pegbox.training.resources import process_name
from pegbox.training.row_losses import keep_row_losses
from pegbox.training.schedule_stages import taken_over
from pegbox.training.torch_learners import AnyLearner, learner_of, recipe_of, settings_of
from pegbox.training.trainer import EvaluatedPart, Report


class TorchTrainer:
    """A `Trainer` for every kind that pegbox builds with torch; a trial continues from its checkpoint bit for bit."""

    def train(self, segment: Segment, data: Splits | None, checkpoints: Path, report: Report) -> TrainedSegment:
        """See `Trainer.train`; each epoch reports losses, metrics and the learning rate."""
        started_at = time.time()
        reset_peak(choose_device(getattr(segment.train, "device", "auto")))
        learner = learner_of(segment, data)
        name = f"{segment.content_key(learner.fingerprint)}.interim"
        interim = InterimCheckpoint(checkpoints / name, recipe_of(segment, learner.settings))
        patience, restarted = take_up(segment, learner)
        reports = interim.take_up(learner, patience)
        for one in reports:  # the worker that was killed may have had no time to write them down
            report(one.step, one.metrics)
        _train_to(segment.to_budget, learner, patience, report, reports, interim)
        trained = finish_segment(segment, learner, patience, reports, checkpoints)
        interim.drop()
        own = {"seconds": interim.seconds, "started_at": started_at, "restarted": restarted}
        return trained.model_copy(update=own)

    def evaluate(
        self, segment: Segment, trained: TrainedSegment, data: Splits | None, part: EvaluatedPart
    ) -> Evaluation:
        """See `Trainer.evaluate`; with patience the best epoch's weights are measured, without it the last one's."""
        if trained.checkpoint is None:
            raise failed(FailureKind.INVALID, "there is no checkpoint to evaluate. Train the trial again.")
        learner = learner_of(segment, data)
        state = read_checkpoint(trained.checkpoint, recipe_of(segment, learner.settings))
        learner.model.load_state_dict(state["patience"]["weights"] or state["model"])
        metrics, unusable = parted(prefixed(part, learner.measure(part)))
        loss = "val_loss" if part == "valid" else "test_loss"
        if loss in unusable:
            raise failed(FailureKind.DIVERGED, f"{loss} is not finite after {trained.budget} epochs. Lower lr.")
        return Evaluation(
            budget=trained.budget,
            metrics=metrics | {"parameters": float(learner.n_parameters)},
            unusable=unusable,
            seconds=trained.seconds,
            replicate=segment.replicate,
            rows=keep_row_losses(segment, trained, data, learner.rows_of) if data and part == "valid" else (),
        )


def take_up(segment: Segment, learner: AnyLearner) -> tuple[Patience, bool]:
    """Bring a fresh learner to where the segment begins: its patience, and True if it has to restart from zero.

    Raises:
        TrialError: The checkpoint cannot be used.
    """
    patience = Patience(getattr(segment.train, "patience", None))
    if segment.checkpoint is None or not segment.checkpoint.exists():
        return patience, segment.from_budget > 0
    before = taken_over(segment)
    state = read_checkpoint(segment.checkpoint, recipe_of(before, settings_of(before.train, before.configuration)))
    learner.restore({**state, "model": weights_for(learner.model, state["model"])} if before is not segment else state)
    patience.restore(state["patience"])
    return patience, False


def finish_segment(
    segment: Segment, learner: AnyLearner, patience: Patience, reports: Sequence[MetricReport], checkpoints: Path
) -> TrainedSegment:
    """Write the checkpoint of a segment that has ended; who trained it adds the times."""
    path = checkpoints / f"{segment.content_key(learner.fingerprint)}.pt"
    state = learner.state() | {"patience": patience.state(), "recipe": recipe_of(segment, learner.settings)}
    write_checkpoint(path, state)
    return TrainedSegment(
        budget=learner.epoch,
        checkpoint=path,
        reports=tuple(reports),
        seconds=0.0,
        device=str(learner.device),
        peak_memory_bytes=peak_memory(learner.device),
        worker=process_name(),
        stopped_early=learner.epoch < segment.to_budget,
    )


def _train_to(
    budget: int,
    learner: AnyLearner,
    patience: Patience,
    report: Report,
    reports: list[MetricReport],
    interim: InterimCheckpoint,
) -> None:
    while learner.epoch < budget and not patience.is_over(learner.epoch):
        metrics: Metrics = learner.train_epoch()
        patience.watch(learner.epoch, metrics["val_loss"], learner.model)
        reports.append(MetricReport(step=learner.epoch, metrics=metrics))
        report(learner.epoch, metrics)
        if learner.epoch < budget:
            interim.keep(learner, patience, reports)
