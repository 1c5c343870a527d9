"""Reads from a store what the trials of a study have reached by its objectives and constraints; draws nothing."""

import json
import math

from pegbox.report.asking import rows
from pegbox.report.standing import BrokenConstraint, Front, Incumbent, front_of, limit_in_words
from pegbox.schemas.base import Value
from pegbox.schemas.plan import Constraint
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import HistoryFile

MOST_POINTS = 32
"""Of the best so far."""


def front(file: HistoryFile, spec: StudySpec) -> Front | None:
    """The front of several objectives; None with one, or before a trial has values of all."""
    if len(spec.goals) == 1:
        return None
    condition, limits = competing(file, spec)
    found = rows(
        file,
        f"""SELECT number, "values" FROM trials WHERE study = $study AND state = 'completed'
            AND len(list_filter("values", lambda v: v IS NULL)) = 0 AND {condition} ORDER BY number""",  # noqa: S608
        study=spec.name,
        **limits,
    )
    return front_of([(number, values) for number, values in found], spec.goals) if found else None


def best_trial(file: HistoryFile, spec: StudySpec) -> Incumbent | None:
    """The best completed trial of one objective among those that compete; None before there is one."""
    numbers = best_trials(file, spec, 1)
    return incumbent(file, spec, numbers[0]) if numbers else None


def best_trials(file: HistoryFile, spec: StudySpec, count: int) -> list[int]:
    """Numbers of the best completed trials by the first objective among those that compete, best first."""
    condition, limits = competing(file, spec)
    found = rows(
        file,
        f"""SELECT number FROM trials WHERE study = $study AND state = 'completed' AND value IS NOT NULL
            AND {condition} ORDER BY CASE WHEN $maximize THEN -value ELSE value END, number LIMIT {count:d}""",  # noqa: S608
        study=spec.name,
        maximize=spec.goals[0].goal == "maximize",
        **limits,
    )
    return [number for (number,) in found]


def best_so_far(file: HistoryFile, spec: StudySpec) -> tuple[float, ...]:
    """The best value of one objective after each of at most 32 completed trials, evenly spread up to the last one."""
    if len(spec.goals) > 1:
        return ()
    condition, limits = kept(spec)
    best = "max" if spec.goals[0].goal == "maximize" else "min"
    found = rows(
        file,
        f"""WITH growing AS (
                SELECT {best}(value) OVER (ORDER BY number) AS best, row_number() OVER (ORDER BY number DESC) AS back,
                    count(*) OVER () AS n
                FROM trials WHERE study = $study AND state = 'completed' AND value IS NOT NULL AND {condition}
            )
            SELECT best FROM growing WHERE (back - 1) % (1 + n // {MOST_POINTS}) = 0 ORDER BY back DESC""",  # noqa: S608
        study=spec.name,
        **limits,
    )
    return tuple(value for (value,) in found)


def incumbent(file: HistoryFile, spec: StudySpec, trial: int) -> Incumbent:
    """A trial that has values of all objectives, by its number."""
    ((values, budget, params),) = rows(
        file,
        'SELECT "values", budget, CAST(params AS JSON) FROM trials WHERE study = $study AND number = $trial',
        study=spec.name,
        trial=trial,
    )
    return Incumbent(
        trial=trial,
        value=values[0],
        values={goal.metric: value for goal, value in zip(spec.goals, values, strict=True)},
        budget=budget,
        configuration=in_file_order(spec, params),
    )


def broken_constraints(file: HistoryFile, spec: StudySpec) -> tuple[BrokenConstraint, ...]:
    """What the completed trials make of each constraint."""
    return tuple(_broken(file, spec, constraint) for constraint in spec.constraints)


def in_file_order(spec: StudySpec, params: str) -> dict[str, Value]:
    """A configuration of the database, which keeps keys by name, in the order of the study file."""
    values = json.loads(params)
    return {name: values[name] for name in [*spec.space.parameters, *values] if name in values}


def _broken(file: HistoryFile, spec: StudySpec, constraint: Constraint) -> BrokenConstraint:
    query = "SELECT metrics[$metric] FROM trials WHERE study = $study AND state = 'completed'"
    found = [value for (value,) in rows(file, query, study=spec.name, metric=constraint.metric)]
    outside = [value for value in found if value is not None and constraint.violation(value) > 0]
    return BrokenConstraint(
        metric=constraint.metric,
        limit=limit_in_words(constraint),
        n_broken=len(outside) + found.count(None),
        nearest=min(outside, key=constraint.violation, default=None),
    )


def outside(file: HistoryFile, spec: StudySpec) -> tuple[int, ...]:
    """Trials that the space does not hold any more since it was narrowed: they stay recorded and do not compete."""
    ((n_spaces,),) = rows(
        file,
        "SELECT count(DISTINCT body->'$.spec.space') FROM events WHERE study = $study AND type = 'study_opened'",
        study=spec.name,
    )
    if n_spaces < 2:
        return ()
    found = rows(file, "SELECT number, CAST(params AS JSON) FROM trials WHERE study = $study", study=spec.name)
    return tuple(number for number, params in found if not spec.space.contains(json.loads(params)))


def competing(file: HistoryFile, spec: StudySpec) -> tuple[str, dict[str, str | float | list[int]]]:
    """The condition of SQL that a row of `trials` keeps all constraints and lies in the space, and its values."""
    condition, limits = kept(spec)
    left_out = outside(file, spec)
    if not left_out:
        return condition, {**limits}
    return f"{condition} AND NOT list_contains($outside, number)", {**limits, "outside": list(left_out)}


def kept(spec: StudySpec) -> tuple[str, dict[str, str | float]]:
    """The condition of SQL that a row of `trials` keeps all constraints, and the values that it names.

    A metric that was not measured is not known to keep its limit.
    """
    parts = ["true"]
    limits: dict[str, str | float] = {}
    for at, constraint in enumerate(spec.constraints):
        parts.append(f"coalesce(metrics[$metric{at}] BETWEEN $low{at} AND $high{at}, false)")
        limits[f"metric{at}"] = constraint.metric
        limits[f"low{at}"] = -math.inf if constraint.min is None else constraint.min
        limits[f"high{at}"] = math.inf if constraint.max is None else constraint.max
    return f"({' AND '.join(parts)})", limits
