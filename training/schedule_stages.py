"""A schedule of hyperparameters over epochs: trained stage by stage from zero, and taken over from a checkpoint.

The stages of a trial are what its ancestors were trained with in population based training.
"""

import os
import shutil
from pathlib import Path

from pegbox.schemas.arrays import Splits
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.trial import Segment, Stage, TrainedSegment
from pegbox.training.failures import failed
from pegbox.training.trainer import Report, Trainer


def must_replay(segment: Segment) -> bool:
    """True for a segment of several stages whose earlier ones are not at hand as a checkpoint."""
    return bool(segment.earlier) and (segment.checkpoint is None or not segment.checkpoint.exists())


def replay_schedule(
    trainer: Trainer, segment: Segment, data: Splits | None, checkpoints: Path, report: Report
) -> TrainedSegment:
    """Train a segment from zero, each stage from the checkpoint of the one before.

    Raises:
        TrialError: A stage failed, or left no checkpoint for the next.
    """
    last = Stage(configuration=segment.configuration, to_budget=segment.to_budget)
    scratch = checkpoints / f".{segment.content_key(data.info.fingerprint if data else '')}.stages.{os.getpid()}"
    scratch.mkdir(parents=True, exist_ok=True)
    trained: list[TrainedSegment] = []
    try:
        for number, stage in enumerate((*segment.earlier, last)):
            part = _part(segment, number, stage, trained[-1] if trained else None)
            is_last = stage is last
            trained.append(trainer.train(part, data, checkpoints if is_last else scratch, report))
            if trained[-1].stopped_early:
                break
            if trained[-1].checkpoint is None and not is_last:
                message = "a schedule of hyperparameters goes on from checkpoints, and none was left at epoch "
                raise failed(FailureKind.INVALID, f"{message}{stage.to_budget}. Save one there.")
        return _together(trained, is_restart=segment.from_budget > 0)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _part(segment: Segment, number: int, stage: Stage, before: TrainedSegment | None) -> Segment:
    earlier = segment.earlier[:number]
    return segment.model_copy(
        update={
            "configuration": stage.configuration,
            "earlier": earlier,
            "from_budget": earlier[-1].to_budget if earlier else 0,
            "to_budget": stage.to_budget,
            "checkpoint": before.checkpoint if before else None,
        }
    )


def _together(trained: list[TrainedSegment], *, is_restart: bool) -> TrainedSegment:
    memory = [one.peak_memory_bytes for one in trained if one.peak_memory_bytes is not None]
    return trained[-1].model_copy(
        update={
            "reports": tuple(report for one in trained for report in one.reports),
            "seconds": sum(one.seconds for one in trained),
            "started_at": trained[0].started_at,
            "peak_memory_bytes": max(memory, default=None),
            "restarted": is_restart,
        }
    )


def taken_over(segment: Segment) -> Segment:
    """The segment as whoever wrote its checkpoint had it: with the stage before, where it begins one of its own."""
    if not segment.earlier or segment.from_budget != segment.earlier[-1].to_budget:
        return segment
    return segment.model_copy(update={"configuration": segment.earlier[-1].configuration})
