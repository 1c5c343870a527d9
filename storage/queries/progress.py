"""How a study got on: its trials in the order in which they ended, by running time and by training time."""

from typing import Any

from pydantic import FiniteFloat

from pegbox.schemas.base import Schema
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.asking import MeasuredColumn, ParamsColumn, Row, ask
from pegbox.storage.queries.competing import kept


class DrawnTrial(Schema):
    """One trial with when it ended and what it took."""

    number: int
    state: str
    """`infeasible` for a completed trial that does not keep the constraints."""
    budget: int
    seconds: float | None
    finished: FiniteFloat | None
    """Running time of the study when the trial ended; None before."""
    spent: FiniteFloat | None
    """Training time of all trials that had ended by then."""
    configuration: ParamsColumn
    metrics: MeasuredColumn


class Improvement(Schema):
    """A trial that was better than all that ended before it."""

    number: int
    finished: FiniteFloat | None
    spent: FiniteFloat | None
    value: FiniteFloat


class EndedWithValues(Schema):
    """A completed trial with its value of each objective, and when it ended."""

    number: int
    finished: FiniteFloat | None
    spent: FiniteFloat | None
    values: tuple[FiniteFloat, ...]


class NumberedValue(Schema):
    """A trial and its value."""

    number: int
    value: FiniteFloat


def drawn_trials(file: HistoryFile, spec: StudySpec, n_best: int, most: int) -> tuple[DrawnTrial, ...]:
    """All trials by number; of more than `most` the best and an even sample of the others.

    Args:
        file: The store's history.
        spec: Of the study.
        n_best: How many of the best are among them.
        most: How many at most.
    """
    return _ask_lives(file, DrawnTrial, spec, _DRAWN, n_best=n_best, most=most)


def improvements(file: HistoryFile, spec: StudySpec) -> tuple[Improvement, ...]:
    """Every improvement among the completed trials within the constraints, in the order in which they ended."""
    return _ask_lives(file, Improvement, spec, _IMPROVEMENTS)


def improvements_by_number(file: HistoryFile, spec: StudySpec) -> tuple[NumberedValue, ...]:
    """Every improvement among the completed trials within the constraints, in the order in which they began."""
    condition, limits = kept(spec)
    query = _IMPROVEMENTS_BY_NUMBER.format(kept=condition)
    return ask(file, NumberedValue, query, study=spec.name, sign=_sign(spec), **limits)


def ended_with_values(file: HistoryFile, spec: StudySpec) -> tuple[EndedWithValues, ...]:
    """The completed trials within the constraints that have a value of each objective, in the order of their ends."""
    return _ask_lives(file, EndedWithValues, spec, _ENDED_WITH_VALUES)


def _ask_lives(file: HistoryFile, kind: type[Row], spec: StudySpec, query: str, **values: Any) -> tuple[Row, ...]:
    condition, limits = kept(spec)
    asked = {"study": spec.name, "sign": _sign(spec), **limits, **values}
    return ask(file, kind, _LIVES.format(kept=condition) + query, **asked)


def _sign(spec: StudySpec) -> float:
    return spec.goals[0].loss(1.0)


_LIVES = """
WITH decided AS (
    SELECT trial, arg_max(elapsed_seconds, version) AS elapsed, max(decided_at) AS decided_at
    FROM decisions WHERE study = $study GROUP BY trial
), lives AS (
    SELECT t.number, t.value, t."values", t.budget, t.seconds,
        CASE WHEN t.state = 'completed' AND NOT {kept} THEN 'infeasible' ELSE t.state END AS state,
        CASE WHEN t.state IN ('completed', 'stopped', 'failed')
            THEN d.elapsed + greatest(0, epoch(t.ended_at) - epoch(d.decided_at)) END AS finished
    FROM trials AS t LEFT JOIN decided AS d ON d.trial = t.number WHERE t.study = $study
), spending AS (
    SELECT *, sum(coalesce(seconds, 0)) OVER (ORDER BY finished, number ROWS UNBOUNDED PRECEDING) AS spent FROM lives
)
"""

_DRAWN = """
SELECT number, drawn.state, drawn.budget, drawn.seconds, finished,
    CASE WHEN finished IS NULL THEN NULL ELSE spent END AS spent,
    coalesce(params::JSON::VARCHAR, '{}') AS configuration, metrics
FROM (
    FROM spending
    ORDER BY row_number() OVER (ORDER BY (state <> 'completed'), $sign * value NULLS LAST, number) > $n_best,
        hash(number)
    LIMIT $most
) AS drawn JOIN trials AS t USING (number) WHERE t.study = $study ORDER BY number
"""

_IMPROVEMENTS = """
SELECT number, finished, spent, value FROM (
    SELECT *, min($sign * value) OVER earlier AS before
    FROM spending WHERE state = 'completed' AND value IS NOT NULL
    WINDOW earlier AS (ORDER BY finished, number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
) WHERE before IS NULL OR $sign * value < before ORDER BY finished, number
"""

_ENDED_WITH_VALUES = """
SELECT number, finished, spent, "values" FROM spending
WHERE state = 'completed' AND len(list_filter("values", lambda v: v IS NULL)) = 0 ORDER BY finished, number
"""

_IMPROVEMENTS_BY_NUMBER = """
SELECT number, value FROM (
    SELECT number, value, min($sign * value) OVER (ORDER BY number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        AS before
    FROM trials WHERE study = $study AND state = 'completed' AND value IS NOT NULL AND {kept}
) WHERE before IS NULL OR $sign * value < before ORDER BY number
"""
