"""Single trials for the page: what they were given, what became of each attempt, what they measured and left behind."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pegbox.page.answer_block import in_store, recipe
from pegbox.page.lineage_block import unix
from pegbox.page.trial_document import (
    AlikeRow,
    AttemptRow,
    DecisionRow,
    FileRow,
    MeasuredRow,
    StretchRow,
    TrialCurve,
    TrialLife,
)
from pegbox.page.trials_block import SHOWN
from pegbox.report.incumbent import broken_in_words
from pegbox.report.incumbent_rows import in_file_order
from pegbox.report.number_format import configuration as rounded
from pegbox.schemas.base import Schema
from pegbox.schemas.competition import Exclusion
from pegbox.schemas.errors import NotFoundError
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries import trial_life as asked
from pegbox.storage.queries.competing import BrokenLimit, broken_limits
from pegbox.storage.queries.events import earlier_studies
from pegbox.storage.queries.trials import trial_numbers

# Three bounds on what one trial's page carries, all picked by hand: steps finer than a pixel, more lines than can be
# told apart, and a file that can still be sent by mail.
MOST_STEPS = 200
MOST_CURVES = 60
MOST_LIVES = 300
"""Trials whose lives an offline file tells."""

_SHOWN_STATES = {reason.value: words for reason, words in SHOWN.items()}
_REASONS = {
    Exclusion.FAILED: "It failed",
    Exclusion.UNFINISHED: "It has no value at the full budget",
    Exclusion.UNMEASURED: "It was not measured in every objective",
    Exclusion.OUTSIDE_SPACE: "The space does not hold it any more",
    Exclusion.BREAKS_CONSTRAINT: "It is not known to keep every limit",
}

Row = TypeVar("Row", bound=Schema)


def told_lives(file: HistoryFile, spec: StudySpec, always: Sequence[int]) -> tuple[TrialLife, ...]:
    """The lives that an offline file tells: all, or the named ones, the best, failed ones and an even sample."""
    return trial_lives(file, spec, asked.told_trials(file, spec.name, always, MOST_LIVES))


def trial_life(file: HistoryFile, spec: StudySpec, number: int) -> TrialLife:
    """All that is known of one trial.

    Raises:
        NotFoundError: The study has none of that number.
    """
    found = trial_lives(file, spec, [number])
    if not found:
        span = trial_numbers(file, spec.name)
        has = f"Its trials are numbered {span.first} to {span.last}." if span else "It has no trial yet."
        raise NotFoundError(f"The study {spec.name!r} has no trial {number}. {has}")
    return found[0]


def trial_lives(file: HistoryFile, spec: StudySpec, numbers: Sequence[int]) -> tuple[TrialLife, ...]:
    """All that is known of some trials, by number; those that there are."""
    found, earlier = _Found(file, spec, numbers), earlier_studies(file, spec.name)
    return tuple(_life(one, spec, found, earlier) for one in asked.standings(file, spec.name, numbers))


class _Found:
    """What the store holds of some trials, each table asked once for all of them; by trial."""

    def __init__(self, file: HistoryFile, spec: StudySpec, numbers: Sequence[int]) -> None:
        study = spec.name
        self.broken = _by_trial(broken_limits(file, study), "number")
        self.attempts = _by_trial(asked.attempts_made(file, study, numbers))
        self.segments = _by_trial(asked.segments_made(file, study, numbers))
        self.measured = _by_trial(asked.evaluations_made(file, study, numbers))
        self.steps = _by_trial(asked.curve_steps(file, study, numbers))
        self.decisions = _by_trial(asked.decisions_about(file, study, numbers))
        self.alike = _by_trial(asked.alike_trials(file, study, numbers))
        self.files = _by_trial(asked.files_written(file, study, numbers))


def _life(one: asked.Standing, spec: StudySpec, found: _Found, earlier: tuple[str, ...]) -> TrialLife:
    number, configuration = one.trial, in_file_order(spec, one.configuration)
    curves = _curves(found.steps[number])
    return TrialLife(
        number=number,
        state=_SHOWN_STATES.get(one.excluded_by or "", one.state),
        excluded=_why_excluded(spec, one.excluded_by, found.broken[number]),
        place=one.place,
        value=one.value,
        metrics=one.metrics,
        budget=one.budget,
        seconds=one.seconds,
        created_at=unix(one.created_at),
        ended_at=unix(one.ended_at),
        seed=one.seed,
        configuration=rounded(configuration),
        exact=configuration,
        recipe=recipe(configuration),
        attempts=tuple(map(_attempt, found.attempts[number])),
        stretches=tuple(map(_stretch, found.segments[number])),
        measured=tuple(MeasuredRow(**_shared(row, MeasuredRow)) for row in found.measured[number]),
        curves=tuple(curves[:MOST_CURVES]),
        curves_note=_cut_note(len(curves)),
        decisions=tuple(
            DecisionRow(**_shared(row, DecisionRow), at=row.decided_at.timestamp()) for row in found.decisions[number]
        ),
        alike=tuple(AlikeRow(**_shared(row, AlikeRow)) for row in found.alike[number]),
        learns_from=earlier,
        files=tuple(FileRow(kind=row.kind, path=_short(row.path), n_bytes=row.n_bytes) for row in found.files[number]),
    )


def _shared(row: Schema, kind: type[Schema]) -> dict[str, Any]:
    """The fields of a row that another schema has, too."""
    return row.model_dump(include=set(kind.model_fields) & set(type(row).model_fields))


def _by_trial(rows: Iterable[Row], key: str = "trial") -> defaultdict[int, list[Row]]:
    found: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[getattr(row, key)].append(row)
    return found


def _why_excluded(spec: StudySpec, reason: str | None, broken: Sequence[BrokenLimit]) -> str:
    if reason is None:
        return ""
    if reason == Exclusion.BREAKS_CONSTRAINT:
        return f"{_REASONS[Exclusion(reason)]}: {', '.join(broken_in_words(spec.constraints, broken))}."
    return f"{_REASONS[Exclusion(reason)]}."


def _attempt(one: asked.AttemptMade) -> AttemptRow:
    return AttemptRow(
        attempt=one.attempt,
        replicate=one.replicate,
        state=one.state,
        worker=one.worker or "",
        seconds=one.seconds,
        started_at=unix(one.started_at),
        failure_kind=one.failure_kind or "",
        message=one.failure_message or "",
        traceback=one.failure_traceback or "",
    )


def _stretch(one: asked.SegmentMade) -> StretchRow:
    notes = {"found in the cache": one.cached, "trained anew": one.restarted, "stopped early": one.stopped_early}
    return StretchRow.model_validate(
        {
            **_shared(one, StretchRow),
            "started_at": unix(one.started_at),
            "device": one.device or "",
            "worker": one.worker or "",
            "notes": tuple(words for words, holds in notes.items() if holds),
            "checkpoint": _short(one.checkpoint) if one.checkpoint else "",
        }
    )


def _short(path: str) -> str:
    return in_store(Path(path))


def _curves(steps: Iterable[asked.CurveStep]) -> list[TrialCurve]:
    grouped: dict[tuple[str, int, int | None], list[asked.CurveStep]] = defaultdict(list)
    for one in steps:
        grouped[one.name, one.fold, one.replicate].append(one)
    return [_curve(found) for found in grouped.values()]


def _curve(found: Sequence[asked.CurveStep]) -> TrialCurve:
    stride = -(-len(found) // MOST_STEPS)
    kept = found[::-stride][::-1]  # from the end, so that the last step is always there
    first = found[0]
    return TrialCurve(
        metric=first.name,
        fold=first.fold,
        replicate=first.replicate,
        steps=tuple(one.step for one in kept),
        values=tuple(one.value for one in kept),
    )


def _cut_note(n_curves: int) -> str:
    return f"{MOST_CURVES} of {n_curves:,} curves are here; `pegbox sql` has all." if n_curves > MOST_CURVES else ""
