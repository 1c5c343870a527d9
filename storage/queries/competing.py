"""The trials that compete: completed, within the constraints and the space as it is now; which are best among them."""

import math
from typing import Any

from pydantic import FiniteFloat

from pegbox.schemas.base import Schema
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.asking import MeasuredColumn, ParamsColumn, ask, ask_column, ask_value


class TrialValues(Schema):
    """A completed trial and its value of each objective."""

    number: int
    values: tuple[FiniteFloat, ...]
    metrics: MeasuredColumn


class _Configured(Schema):
    number: int
    configuration: ParamsColumn


def best_trials(file: HistoryFile, spec: StudySpec, count: int) -> tuple[int, ...]:
    """Numbers of the best trials by the first objective among those that compete, best first."""
    condition, limits = competing(file, spec)
    return ask_column(
        file,
        f"""SELECT number FROM trials WHERE study = $study AND state = 'completed' AND value IS NOT NULL
            AND {condition} ORDER BY CASE WHEN $maximize THEN -value ELSE value END, number LIMIT {count:d}""",  # noqa: S608
        study=spec.name,
        maximize=spec.goals[0].goal == "maximize",
        **limits,
    )


def competing_trials(file: HistoryFile, spec: StudySpec) -> tuple[TrialValues, ...]:
    """Those of the trials that compete which have a value of each objective, by number."""
    condition, limits = competing(file, spec)
    return ask(file, TrialValues, _WITH_VALUES.format(condition=condition), study=spec.name, **limits)


def completed_trials(file: HistoryFile, spec: StudySpec) -> tuple[TrialValues, ...]:
    """All completed trials that have a value of each objective, whether they compete or not, by number."""
    return ask(file, TrialValues, _WITH_VALUES.format(condition="true"), study=spec.name)


def best_values(file: HistoryFile, spec: StudySpec, most: int) -> tuple[float, ...]:
    """The best value of the first objective after each of the last, evenly spread, of the trials within constraints.

    Args:
        file: The store's history.
        spec: Of the study.
        most: How many values about; the last one is always there.
    """
    condition, limits = kept(spec)
    best = "max" if spec.goals[0].goal == "maximize" else "min"
    return ask_column(
        file,
        f"""WITH growing AS (
                SELECT {best}(value) OVER (ORDER BY number) AS best, row_number() OVER (ORDER BY number DESC) AS back,
                    count(*) OVER () AS n
                FROM trials WHERE study = $study AND state = 'completed' AND value IS NOT NULL AND {condition}
            )
            SELECT best FROM growing WHERE (back - 1) % (1 + n // {most:d}) = 0 ORDER BY back DESC""",  # noqa: S608
        study=spec.name,
        **limits,
    )


def values_of(file: HistoryFile, study: str, metric: str) -> tuple[float | None, ...]:
    """A metric of each completed trial; None where it was not measured."""
    query = "SELECT metrics[$metric] FROM trials WHERE study = $study AND state = 'completed'"
    return ask_column(file, query, study=study, metric=metric)


def n_infeasible(file: HistoryFile, spec: StudySpec) -> int:
    """Completed trials that do not keep the constraints."""
    condition, limits = kept(spec)
    query = f"SELECT count(*) FROM trials WHERE study = $study AND state = 'completed' AND NOT {condition}"  # noqa: S608
    return int(ask_value(file, query, study=spec.name, **limits))


def outside(file: HistoryFile, spec: StudySpec) -> tuple[int, ...]:
    """Trials that the space does not hold any more since it was narrowed: they stay recorded and do not compete."""
    n_spaces = ask_value(
        file,
        "SELECT count(DISTINCT body->'$.spec.space') FROM events WHERE study = $study AND type = 'study_opened'",
        study=spec.name,
    )
    if n_spaces < 2:
        return ()
    query = "SELECT number, CAST(params AS JSON) AS configuration FROM trials WHERE study = $study"
    found = ask(file, _Configured, query, study=spec.name)
    return tuple(one.number for one in found if not spec.space.contains(one.configuration))


def competing(file: HistoryFile, spec: StudySpec) -> tuple[str, dict[str, Any]]:
    """The condition of SQL that a row of `trials` keeps all constraints and lies in the space, and its values."""
    condition, limits = kept(spec)
    left_out = outside(file, spec)
    if not left_out:
        return condition, limits
    return f"{condition} AND NOT list_contains($outside, number)", {**limits, "outside": list(left_out)}


def kept(spec: StudySpec) -> tuple[str, dict[str, Any]]:
    """The condition of SQL that a row of `trials` keeps all constraints, and the values that it names.

    A metric that was not measured is not known to keep its limit.
    """
    parts = ["true"]
    limits: dict[str, Any] = {}
    for at, constraint in enumerate(spec.constraints):
        parts.append(f"coalesce(metrics[$metric{at}] BETWEEN $low{at} AND $high{at}, false)")
        limits[f"metric{at}"] = constraint.metric
        limits[f"low{at}"] = -math.inf if constraint.min is None else constraint.min
        limits[f"high{at}"] = math.inf if constraint.max is None else constraint.max
    return f"({' AND '.join(parts)})", limits


_WITH_VALUES = """
SELECT number, "values", metrics FROM trials WHERE study = $study AND state = 'completed'
    AND len(list_filter("values", lambda v: v IS NULL)) = 0 AND {condition} ORDER BY number
"""
