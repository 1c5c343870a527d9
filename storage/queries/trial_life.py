"""The life of single trials: attempts, segments, evaluations, learning curves by fold and seed, decisions, files."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import FiniteFloat

from pegbox.schemas.base import Schema
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.asking import MeasuredColumn, ParamsColumn, ask, ask_column


class Standing(Schema):
    """A trial as it stands, and why it does not compete."""

    trial: int
    state: str
    value: FiniteFloat | None
    metrics: MeasuredColumn
    budget: int
    to_budget: int | None
    seconds: FiniteFloat | None
    configuration: ParamsColumn
    seed: int | None
    excluded_by: str | None
    place: int | None
    """Among the trials that compete, from 1; None where it does not."""
    created_at: datetime | None
    ended_at: datetime | None


class AttemptMade(Schema):
    """One try at training a trial, or at one of its fresh seeds."""

    trial: int
    attempt: int
    replicate: int | None
    state: str
    worker: str | None
    seconds: FiniteFloat | None
    started_at: datetime | None
    ended_at: datetime | None
    failure_kind: str | None
    failure_message: str | None
    failure_traceback: str | None


class SegmentMade(Schema):
    """One stretch of training, from a budget to another."""

    trial: int
    attempt: int
    fold: int
    replicate: int | None
    from_budget: int
    to_budget: int
    reached: int | None
    seed: int | None
    seconds: FiniteFloat | None
    device: str | None
    peak_memory_bytes: int | None
    worker: str | None
    cached: bool | None
    stopped_early: bool | None
    restarted: bool | None
    checkpoint: str | None
    started_at: datetime | None


class EvaluationMade(Schema):
    """What a trial measured at a budget, on one fold or in the mean of all (fold None)."""

    trial: int
    budget: int
    fold: int | None
    replicate: int | None
    metrics: MeasuredColumn
    seconds: FiniteFloat | None


class CurveStep(Schema):
    """A metric at one step, of one fold and seed."""

    trial: int
    name: str
    fold: int
    replicate: int | None
    step: int
    value: FiniteFloat


class DecisionAbout(Schema):
    """What the strategy decided about a trial."""

    trial: int
    number: int
    kind: str
    to_budget: int | None
    decided_at: datetime


class FileWritten(Schema):
    """A file that belongs to a trial."""

    trial: int
    kind: str
    path: str
    n_bytes: int | None


class AlikeTrial(Schema):
    """Another trial, of any study of the store, with the same configuration."""

    trial: int
    study: str
    number: int
    state: str
    value: FiniteFloat | None


class BandPoint(Schema):
    """Where most trials were at one step of training."""

    step: int
    n_trials: int
    low: FiniteFloat
    """10th percentile."""
    middle: FiniteFloat
    high: FiniteFloat
    """90th percentile."""


def standings(file: HistoryFile, study: str, trials: Sequence[int]) -> tuple[Standing, ...]:
    """Some trials as they stand, by number; those that there are."""
    return ask(file, Standing, _STANDINGS, study=study, trials=list(trials))


def attempts_made(file: HistoryFile, study: str, trials: Sequence[int]) -> tuple[AttemptMade, ...]:
    """The attempts of some trials, those of fresh seeds last."""
    query = _of("attempts", AttemptMade, "replicate NULLS FIRST, attempt")
    return ask(file, AttemptMade, query, study=study, trials=list(trials))


def segments_made(file: HistoryFile, study: str, trials: Sequence[int]) -> tuple[SegmentMade, ...]:
    """The segments of some trials, in the order in which they were begun."""
    query = _of("segments", SegmentMade, "replicate NULLS FIRST, started_at, attempt, fold, from_budget")
    return ask(file, SegmentMade, query, study=study, trials=list(trials))


def evaluations_made(file: HistoryFile, study: str, trials: Sequence[int]) -> tuple[EvaluationMade, ...]:
    """The evaluations of some trials, by budget; the mean before its folds, fresh seeds last."""
    query = _of("evaluations", EvaluationMade, "replicate NULLS FIRST, budget, fold NULLS FIRST")
    return ask(file, EvaluationMade, query, study=study, trials=list(trials))


def curve_steps(file: HistoryFile, study: str, trials: Sequence[int]) -> tuple[CurveStep, ...]:
    """All learning curves of some trials; of each step the last attempt that measured it."""
    return ask(file, CurveStep, _CURVE_STEPS, study=study, trials=list(trials))


def decisions_about(file: HistoryFile, study: str, trials: Sequence[int]) -> tuple[DecisionAbout, ...]:
    """What was decided about some trials, in order."""
    return ask(file, DecisionAbout, _of("decisions", DecisionAbout, "number"), study=study, trials=list(trials))


def files_written(file: HistoryFile, study: str, trials: Sequence[int]) -> tuple[FileWritten, ...]:
    """The files that belong to some trials."""
    return ask(file, FileWritten, _of("artifacts", FileWritten, "path"), study=study, trials=list(trials))


def alike_trials(file: HistoryFile, study: str, trials: Sequence[int]) -> tuple[AlikeTrial, ...]:
    """For some trials the others of the store that have the very same configuration."""
    return ask(file, AlikeTrial, _ALIKE, study=study, trials=list(trials))


def told_trials(file: HistoryFile, study: str, always: Sequence[int], most: int) -> tuple[int, ...]:
    """Trials whose lives a file tells: those that are named, the best, then failed and other ones in turn; by number.

    Args:
        file: The store's history.
        study: Its name.
        always: Trials that come first.
        most: How many at most.
    """
    return tuple(sorted(ask_column(file, _TOLD, study=study, always=list(always), most=most)))


def curve_band(file: HistoryFile, study: str, metric: str) -> tuple[BandPoint, ...]:
    """Where the middle eight of ten trials of the search were at each step, each as the mean over its folds."""
    return ask(file, BandPoint, _BAND, study=study, metric=metric)


def _of(table: str, kind: type[Schema], order: str) -> str:
    """The columns that a schema names, of some trials."""
    columns = ", ".join(kind.model_fields)
    return (
        f"SELECT {columns} FROM {table} WHERE study = $study AND list_contains($trials, trial) "  # noqa: S608
        f"ORDER BY trial, {order}"
    )


_STANDINGS = """
SELECT number AS trial, state, value, metrics, budget, to_budget, seconds,
    coalesce(params::JSON::VARCHAR, '{}') AS configuration, seed, excluded_by, place, created_at, ended_at
FROM trials LEFT JOIN (SELECT number, place FROM competing WHERE study = $study) USING (number)
WHERE study = $study AND list_contains($trials, number) ORDER BY number
"""

_CURVE_STEPS = """
SELECT trial, name, fold, NULL AS replicate, step, value FROM curves
WHERE study = $study AND list_contains($trials, trial) AND value IS NOT NULL
UNION ALL
SELECT trial, name, fold, replicate, step, value FROM replicate_curves
WHERE study = $study AND list_contains($trials, trial) AND value IS NOT NULL
ORDER BY trial, name, replicate NULLS FIRST, fold, step
"""

# Twenty for each trial, picked by hand: a study of one configuration would else list itself with every trial.
_ALIKE = """
WITH mine AS (
    SELECT number AS trial, params::JSON::VARCHAR AS params FROM trials
    WHERE study = $study AND list_contains($trials, number) AND params IS NOT NULL
)
SELECT m.trial, t.study, t.number, t.state, t.value
FROM (SELECT study, number, state, value, params::JSON::VARCHAR AS params FROM trials) AS t
JOIN mine AS m USING (params)
WHERE NOT (t.study = $study AND t.number = m.trial)
QUALIFY row_number() OVER (PARTITION BY m.trial ORDER BY t.study <> $study, t.study, t.number) <= 20
ORDER BY m.trial, t.study <> $study, t.study, t.number
"""

# As `curves` samples: the best, then in turn by outcome and by hash of the number, so that it is the same at each look.
_TOLD = """
SELECT number FROM (
    SELECT number, row_number() OVER (ORDER BY NOT coalesce(competes, false), loss NULLS LAST, number) AS place,
        row_number() OVER (PARTITION BY state ORDER BY hash(number)) AS turn
    FROM trials WHERE study = $study
) ORDER BY list_contains($always, number) DESC, place > 20, turn LIMIT $most
"""

_BAND = """
WITH of_trials AS (
    SELECT trial, step, avg(value) AS value FROM metrics
    WHERE study = $study AND name = $metric AND replicate IS NULL AND value IS NOT NULL GROUP BY trial, step
)
SELECT step, count(*) AS n_trials, quantile_cont(value, 0.1) AS low, quantile_cont(value, 0.5) AS middle,
    quantile_cont(value, 0.9) AS high
FROM of_trials GROUP BY step ORDER BY step
"""
