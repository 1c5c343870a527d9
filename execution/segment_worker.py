"""What runs inside a worker process: open the data, train or evaluate, journal each report.

Imports neither Prefect nor DuckDB, so that a worker starts fast and can never hold a lock of the history.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from pegbox.datasets.prepared import open_prepared
from pegbox.execution.trial_process import WarmUp, is_in_trial, note
from pegbox.schemas.arrays import Splits
from pegbox.schemas.base import Metrics
from pegbox.schemas.data import PreparedData
from pegbox.schemas.events import MetricsReported
from pegbox.schemas.train import TrainSpec
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment
from pegbox.storage.handover import Handover
from pegbox.storage.journal import Journal
from pegbox.storage.layout import StoreLayout
from pegbox.training.amounts import by_amount
from pegbox.training.kinds.registry import load_data, trainer_for
from pegbox.training.resources import process_name
from pegbox.training.schedule_stages import must_replay, replay_schedule
from pegbox.training.trainer import Report

# Picked by hand: each append waits for the disk (fdatasync); a crash loses the curve of half a second, and no trial.
FLUSH_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Measured:
    """A segment that was trained, and its validation metrics; None where they could not be measured."""

    trained: TrainedSegment
    evaluation: Evaluation | None


def train_and_measure(segment: Segment, data: PreparedData | None, store: StoreLayout) -> Measured:
    """Train one segment, and measure it while its worker has it at hand."""
    return measured(segment, train_segment(segment, data, store), data)


def measured(segment: Segment, trained: TrainedSegment, data: PreparedData | None) -> Measured:
    """The segment with its validation metrics; what goes wrong is told when they are asked for."""
    try:
        return Measured(trained, evaluate_segment(segment, trained, data, "valid"))
    except Exception:  # noqa: BLE001 - measured again, it fails in its own task
        return Measured(trained, None)


def train_segment(segment: Segment, data: PreparedData | None, store: StoreLayout) -> TrainedSegment:
    """Train one segment and journal its metrics while it goes on.

    What a worker trained whose driver died before it heard of it is taken as it is.
    """
    reports = JournalledReports(store)
    handover = handover_of(segment, data, store)
    # The lock before the look: the worker of a dead driver may be at this very segment and leave its result meanwhile.
    with handover.training():
        trained = handover.find()
        if trained is None:
            trained = _train(segment, data, store, reports)
            handover.leave(trained)
        else:
            reports.take(segment, trained)
    return trained


def handover_of(segment: Segment, data: PreparedData | None, store: StoreLayout) -> Handover:
    """Where the worker leaves the trained segment until its driver has recorded it."""
    return Handover(store, segment.content_key(data.fingerprint if data else ""))


def _train(
    segment: Segment, data: PreparedData | None, store: StoreLayout, reports: "JournalledReports"
) -> TrainedSegment:
    started_at = time.time()
    splits = open_splits(data, segment.fold) if data else None
    try:
        trainer, report = by_amount(segment, trainer_for(segment.train)), reports.of(segment)
        if must_replay(segment):
            trained = replay_schedule(trainer, segment, splits, store.checkpoints, report)
        else:
            trained = trainer.train(segment, splits, store.checkpoints, report)
    finally:
        reports.flush()
    return trained.model_copy(update={"worker": process_name(), "started_at": started_at})


def evaluate_segment(
    segment: Segment, trained: TrainedSegment, data: PreparedData | None, part: Literal["valid", "test"]
) -> Evaluation:
    """Measure a trained segment on one part of its data."""
    splits = open_splits(data, segment.fold) if data else None
    return by_amount(segment, trainer_for(segment.train)).evaluate(segment, trained, splits, part)


class JournalledReports:
    """Collects reports and appends them at most twice a second: each append waits for the disk."""

    def __init__(self, store: StoreLayout) -> None:
        self._store = store
        self._waiting: list[MetricsReported] = []
        self._flushed_at = 0.0

    def of(self, segment: Segment) -> Report:
        """Where the trainer of a segment reports."""

        def report(step: int, metrics: Metrics) -> None:
            if segment.is_model:
                return
            event = MetricsReported.of(segment, step, metrics)
            before = self._waiting[-1] if self._waiting else None
            if before is not None and before.model_copy(update={"metrics": metrics}) == event:
                # A progress bar reports a step hundreds of times a second; its last word is enough.
                event = MetricsReported.of(segment, step, {**self._waiting.pop().metrics, **metrics})
            self._waiting.append(event)
            if time.monotonic() - self._flushed_at > FLUSH_SECONDS:
                self.flush()

        return report

    def take(self, segment: Segment, trained: TrainedSegment) -> None:
        """Report again what was reported for an earlier attempt."""
        if segment.is_model:
            return
        self._waiting += [MetricsReported.of(segment, one.step, one.metrics) for one in trained.reports]
        self.flush()

    def flush(self) -> None:
        """Make all that was reported durable; a worker's journal outlives the processes of its trials."""
        if self._waiting:
            kept = (self._store, tuple(self._waiting))
            note(kept) if is_in_trial() else keep_reports(kept)
            self._waiting.clear()
        self._flushed_at = time.monotonic()


def keep_reports(kept: tuple[StoreLayout, Sequence[MetricsReported]]) -> None:
    """Append what a trial has reported to the journal of this process.

    Raises:
        StoreUnwritableError: The disk is full or fails.
    """
    store, events = kept
    _journal(store).append(*events)


@cache
def _journal(store: StoreLayout) -> Journal:
    """The journal of this process, opened with its first report."""
    return Journal(store.journal, writer="worker")


def warm_up_for(segment: Segment, data: PreparedData | None) -> WarmUp | None:
    """What a worker loads, once for all the processes that it forks, before it trains segments like this one."""
    return None if data is None else (_load, (segment.train, data, segment.fold))


def _load(train: TrainSpec, data: PreparedData, fold: int) -> None:
    load_data(train, open_splits(data, fold), fold)


def open_splits(data: PreparedData, fold: int) -> Splits:
    """The prepared data of a fold, memory-mapped once a process."""
    return _opened(data.model_dump_json(), fold)


# Picked by hand: arrays are memory-mapped, so a fold that is kept costs addresses and open files, but hardly memory.
@lru_cache(maxsize=16)
def _opened(data: str, fold: int) -> Splits:
    """Keyed by text because a schema with dictionaries has no hash."""
    return open_prepared(PreparedData.model_validate_json(data), fold)
