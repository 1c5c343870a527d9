"""Writes a study of another program into the store as events, as if it had been run here; reads no foreign format."""

import math
import socket
import time
from collections.abc import Iterable
from os import getpid
from uuid import uuid4

from pegbox.schemas.decision import Start
from pegbox.schemas.errors import StoreError
from pegbox.schemas.events import (
    DecisionMade,
    Driven,
    Event,
    MetricsReported,
    RunEnded,
    RunStarted,
    SegmentStarted,
    SegmentTrained,
    StudyOpened,
    TrialEvaluated,
    TrialFailed,
)
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.foreign_study import ForeignStudy, ForeignTrial
from pegbox.schemas.secret_texts import masked
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment, TrialState
from pegbox.storage.ingest import ingest
from pegbox.storage.journal import Journal
from pegbox.storage.layout import StoreLayout
from pegbox.storage.recorded_history import last_version, recorded_history
from pegbox.storage.study_lock import StudyLock

# Picked by hand: each append costs one flush to the disk, so that thousands of trials take seconds; a chunk of a few
# thousand lines stays small in memory.
_CHUNK = 200
"""Trials of one append."""

Dated = tuple[Event, float]


def write_study(store: StoreLayout, study: ForeignStudy) -> int:
    """Record a foreign study under its name.

    Returns:
        The number of trials.

    Raises:
        StoreError: The store holds a study of that name already.
        StoreBusyError: Another process drives a study of that name.
        StoreUnwritableError: The store cannot be written.
    """
    spec = study.spec
    with StudyLock(store, spec.name):
        # Twice: first, so that a name that another process took a moment ago is seen; last, so that who imports can
        # ask at once.
        ingest(store, wait=True, force=True)
        if recorded_history(store, spec.name) is not None:
            raise StoreError(f"The store holds a study {spec.name!r} already. Import it under another name.")
        before = last_version(store, spec.name)
        journal, version = Journal(store.journal, "driver"), before + 1
        for chunk in _chunks(study, before):
            events, times = zip(*chunk, strict=True)
            journal.append(*events, version=version, at=times)
            version += len(events)
        journal.close()
        ingest(store, wait=True, force=True)
    return len(study.trials)


def _chunks(study: ForeignStudy, before: int) -> Iterable[list[Dated]]:
    """The events, some trials at a time; `before` is the last version that another study of the name had."""
    spec, trials, source = study
    run, now = f"import-{uuid4().hex[:12]}", time.time()
    begun = min((trial.started_at for trial in trials), default=now)
    started = RunStarted(study=spec.name, run=run, host=socket.gethostname(), pid=getpid())
    chunk: list[Dated] = [(StudyOpened(study=spec.name, spec=spec), begun), (started, begun)]
    saw = before + len(chunk)
    for number, trial in enumerate(trials):
        life = _life(spec, run, number, trial, saw)
        chunk += [(_timed(event, at - begun), at) for event, at in life]
        saw += len(life)
        if number % _CHUNK == _CHUNK - 1:
            yield chunk
            chunk = []
    message = f"imported from {masked(source)}"
    yield [*chunk, (RunEnded(study=spec.name, run=run, status="completed", message=message), now)]


def _life(spec: StudySpec, run: str, number: int, trial: ForeignTrial, saw: int) -> list[Dated]:
    """The events of one trial, from its proposal to its end."""
    study, seconds = spec.name, max(0.0, trial.ended_at - trial.started_at)
    to_budget = max(1, trial.budget)
    segment = Segment(
        study=study,
        trial=number,
        configuration=trial.configuration,
        seed=0,
        to_budget=to_budget,
        train=spec.train,
        code="imported",
    )
    proposed = DecisionMade(
        study=study,
        number=number,
        saw=saw,
        elapsed_seconds=0.0,
        decision=Start(configuration=trial.configuration, to_budget=to_budget),
        trial=number,
        seed=0,
    )
    begin: list[Event] = [proposed, SegmentStarted(study=study, run=run, segment=segment)]
    reports: list[Event] = [
        MetricsReported(study=study, trial=number, attempt=1, fold=0, seed=0, step=one.step, metrics=one.metrics)
        for one in trial.reports
    ]
    end = _end(study, number, trial, seconds)
    return [(event, trial.started_at) for event in begin] + [(event, trial.ended_at) for event in (*reports, *end)]


def _timed(event: Event, seconds: float) -> Event:
    """Of a foreign study nobody knows when it rested: its running time is that since its first trial began."""
    return event.model_copy(update={"elapsed_seconds": max(0.0, seconds)}) if isinstance(event, Driven) else event


def _end(study: str, number: int, trial: ForeignTrial, seconds: float) -> list[Event]:
    if trial.state is TrialState.FAILED:
        return [
            _failed(study, number, FailureKind.ERROR, trial.message or "the trial failed where it was run", seconds)
        ]
    # A value that is not finite is what `diverged` means here: kept as a number it would end up first or last in every
    # list, because NaN sorts as the largest value in DuckDB.
    infinite = [name for name, value in trial.metrics.items() if not math.isfinite(value)]
    if infinite:
        return [
            _failed(study, number, FailureKind.DIVERGED, f"{infinite[0]} was {trial.metrics[infinite[0]]}", seconds)
        ]
    budget = max(1, trial.budget)
    return [
        SegmentTrained(
            study=study,
            trial=number,
            attempt=1,
            from_budget=0,
            to_budget=budget,
            fold=0,
            seed=0,
            trained=TrainedSegment(budget=budget, seconds=seconds, started_at=trial.started_at),
        ),
        TrialEvaluated(
            study=study,
            trial=number,
            evaluation=Evaluation(budget=budget, metrics=trial.metrics, seconds=seconds),
            state=trial.state,
        ),
    ]


def _failed(study: str, number: int, kind: FailureKind, message: str, seconds: float) -> TrialFailed:
    failure = Failure(kind=kind, message=message, seconds=seconds)
    return TrialFailed(study=study, trial=number, attempt=1, failure=failure, final=True)
