"""Trains segments whose networks have one shape together, as one stack; each gets what training alone would give it.

Every segment keeps an ordinary `Learner`: it makes the first weights, reads and writes the checkpoint, and evaluates.
Only the epochs in between are run on the stack, so a stacked segment may continue alone, and one alone in a stack.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch

from pegbox.schemas.arrays import Splits
from pegbox.schemas.base import Metrics
from pegbox.schemas.errors import TrialError
from pegbox.schemas.failure import Failure
from pegbox.schemas.trial import MetricReport, Segment, TrainedSegment
from pegbox.training.loop import require_finite
from pegbox.training.stacked_loop import Stack
from pegbox.training.torch_learners import table_learner
from pegbox.training.torch_trainer import finish_segment, take_up
from pegbox.training.trainer import Report

# Picked by hand: one warms up, the median of five bears two that a busy machine disturbed.
PROBED_STEPS = 6


def train_together(
    segments: Sequence[Segment], data: Splits, checkpoints: Path, reports: Sequence[Report]
) -> list[TrainedSegment | Failure]:
    """Train all segments to their budget; one that fails costs no other.

    Args:
        segments: All of one `batching.batch_key`.
        data: The fold to train on.
        checkpoints: As for `Trainer.train`.
        reports: One for each segment.

    Raises:
        TrialError: The data or device cannot be used, which fails all.
    """
    started_at, started = time.time(), time.perf_counter()
    members = [_Member(segment, data, report) for segment, report in zip(segments, reports, strict=True)]
    stack = Stack([member.learner for member in members], [member.random_state for member in members])
    while any(member.goes_on for member in members):
        for place, (member, metrics) in enumerate(zip(members, stack.train_epoch(), strict=True)):
            if member.goes_on:
                member.take(metrics, partial(stack.write_back, place))
                if not member.goes_on and member.failure is None:
                    # Before the checkpoint: the learner's own weights are as old as its last best epoch.
                    stack.write_back(place)
                    # A member's share of the time, so that the seconds of a study add up to what the machine spent.
                    member.finish(checkpoints, started_at, (time.perf_counter() - started) / len(members))
    answers = [member.answer(checkpoints, started_at) for member in members]
    size = {"together": len(members)}
    return [one if isinstance(one, Failure) else one.model_copy(update=size) for one in answers]


def speedup(segments: Sequence[Segment], data: Splits) -> float:
    """How many times faster a step of the stack is than the same steps one after another, on this machine now.

    Raises:
        TrialError: One of the segments cannot begin.
    """
    learners = [table_learner(segment, data) for segment in segments]
    for segment, learner in zip(segments, learners, strict=True):
        take_up(segment, learner)
    alone = sum(learner.seconds_per_step(PROBED_STEPS) for learner in learners)
    stack = Stack(learners, [torch.get_rng_state()] * len(segments))
    return alone / max(stack.seconds_per_step(PROBED_STEPS), 1e-9)


class _Member:
    """One segment of the stack."""

    def __init__(self, segment: Segment, data: Splits, report: Report) -> None:
        self.segment = segment
        self.learner = table_learner(segment, data)
        self.patience, self.restarted = take_up(segment, self.learner)
        self.random_state = torch.get_rng_state()
        self.failure: Failure | None = None
        self._report = report
        self._reports: list[MetricReport] = []
        self._trained: TrainedSegment | None = None

    @property
    def goes_on(self) -> bool:
        """True while there is something left to train."""
        epoch = self.learner.epoch
        return self.failure is None and epoch < self.segment.to_budget and not self.patience.is_over(epoch)

    def take(self, metrics: Metrics, write_back: Callable[[], None]) -> None:
        """Take note of an epoch; the learner's own model is brought up to date where its weights are kept."""
        self.learner.epoch += 1
        try:
            require_finite(metrics, self.learner.epoch, self.learner.settings.lr)
        except TrialError as error:
            self.failure = error.failure
            return
        if self.patience.is_better(metrics["val_loss"]):
            write_back()
        self.patience.watch(self.learner.epoch, metrics["val_loss"], self.learner.model)
        self._reports.append(MetricReport(step=self.learner.epoch, metrics=metrics))
        self._report(self.learner.epoch, metrics)

    def finish(self, checkpoints: Path, started_at: float, seconds: float) -> None:
        """Write the checkpoint."""
        self._trained = finish_segment(
            self.segment, self.learner, self.patience, self._reports, checkpoints
        ).model_copy(update={"started_at": started_at, "seconds": seconds, "restarted": self.restarted})

    def answer(self, checkpoints: Path, started_at: float) -> TrainedSegment | Failure:
        """What became of the segment."""
        if self.failure is not None:
            return self.failure
        if self._trained is None:  # nothing was left to train
            self.finish(checkpoints, started_at, 0.0)
        assert self._trained is not None
        return self._trained
