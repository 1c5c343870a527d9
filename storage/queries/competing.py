"""The trials that compete, who leads (incumbent, Pareto front), and which constraints others break, as ingested."""

from pydantic import FiniteFloat

from pegbox.schemas.base import Schema
from pegbox.schemas.competition import Exclusion
from pegbox.schemas.plan import Constraint
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.asking import MeasuredColumn, ask, ask_column, ask_one


class Leading(Schema):
    """Who leads a study, with the first objective of each."""

    best: int | None = None
    """The answer: the winner on fresh seeds where a selection stands, else the incumbent."""
    best_value: FiniteFloat | None = None
    """What to expect of it on fresh seeds, else what the search saw."""
    is_selected: bool = False
    """True if it was chosen on fresh seeds."""
    incumbent: int | None = None
    """The best as the search saw it; of several objectives the knee of the front."""
    incumbent_value: FiniteFloat | None = None
    front: tuple[int, ...] = ()


class TrialValues(Schema):
    """A completed trial and its value of each objective."""

    number: int
    values: tuple[FiniteFloat, ...]
    metrics: MeasuredColumn
    competes: bool


class ExclusionCount(Schema):
    """How many completed trials do not compete for one reason."""

    reason: Exclusion
    n: int


class BrokenLimit(Schema):
    """A limit that a trial is not known to keep."""

    number: int
    metric: str
    value: FiniteFloat | None
    """By its fresh seeds where there are some; None where it was not measured."""


class LimitTally(Schema):
    """What the completed trials make of one limit."""

    n_broken: int
    nearest: FiniteFloat | None
    """Of the values outside, the one nearest to the limit."""


def leading(file: HistoryFile, study: str) -> Leading:
    """Who leads a study; nobody where no trial competes."""
    query = (
        "SELECT best, best_value, coalesce(is_selected, false) AS is_selected, incumbent, incumbent_value, "
        "coalesce(front, []) AS front FROM leaders WHERE study = $study"
    )
    return ask_one(file, Leading, query, study=study) or Leading()


def best_trials(file: HistoryFile, study: str, count: int) -> tuple[int, ...]:
    """Numbers of the best trials that compete, as the search saw them: the incumbent first."""
    query = "SELECT number FROM competing WHERE study = $study AND place <= $count ORDER BY place"
    return ask_column(file, query, study=study, count=count)


def competing_trials(file: HistoryFile, study: str) -> tuple[TrialValues, ...]:
    """All trials that compete, by number."""
    return ask(file, TrialValues, _WITH_VALUES + "AND competes ORDER BY number", study=study)


def completed_trials(file: HistoryFile, study: str) -> tuple[TrialValues, ...]:
    """All completed trials that have a value of each objective, whether they compete or not, by number."""
    return ask(file, TrialValues, _WITH_VALUES + "ORDER BY number", study=study)


def best_values(file: HistoryFile, spec: StudySpec, most: int) -> tuple[float, ...]:
    """The best value of the first objective after each of the last, evenly spread, of the trials that compete.

    Args:
        file: The store's history.
        spec: Of the study.
        most: How many values about; the last one is always there.
    """
    losses = ask_column(file, _BEST_LOSSES, study=spec.name, most=most)
    return tuple(spec.goals[0].loss(loss) for loss in losses)


def exclusions(file: HistoryFile, study: str) -> tuple[ExclusionCount, ...]:
    """Why completed trials do not compete, and how many each."""
    return ask(
        file,
        ExclusionCount,
        "SELECT excluded_by AS reason, count(*) AS n FROM trials WHERE study = $study AND state = 'completed' "
        "AND excluded_by IS NOT NULL GROUP BY ALL ORDER BY ALL",
        study=study,
    )


def broken_limits(file: HistoryFile, study: str, known: tuple[int, ...] = ()) -> tuple[BrokenLimit, ...]:
    """The limits that completed trials are not known to keep, by trial and in the order of the study file.

    Args:
        file: The store's history.
        study: Its name.
        known: Trials that are left out.
    """
    return ask(
        file,
        BrokenLimit,
        "SELECT number, metric, value FROM violations WHERE study = $study AND state = 'completed' "
        "AND NOT list_contains($known, number) ORDER BY number, rowid",
        study=study,
        known=list(known),
    )


def limit_tally(file: HistoryFile, study: str, limit: Constraint) -> LimitTally:
    """How many completed trials are not known to keep a limit, and how near the others came."""
    (found,) = ask(file, LimitTally, _LIMIT_TALLY, study=study, metric=limit.metric, low=limit.min, high=limit.max)
    return found


_WITH_VALUES = """
SELECT number, "values", metrics, coalesce(competes, false) AS competes FROM trials
WHERE study = $study AND state = 'completed' AND len(list_filter("values", lambda v: v IS NULL)) = 0
"""

# Thinned from the end, so that the last value, which is the one that is told, is always there.
_BEST_LOSSES = """
WITH growing AS (
    SELECT min(loss) OVER (ORDER BY number) AS best, row_number() OVER (ORDER BY number DESC) AS back,
        count(*) OVER () AS n
    FROM trials WHERE study = $study AND competes
)
SELECT best FROM growing WHERE (back - 1) % (1 + n // $most) = 0 ORDER BY back DESC
"""

_LIMIT_TALLY = """
SELECT count(*) AS n_broken, arg_min(value, violation) AS nearest FROM violations
WHERE study = $study AND state = 'completed' AND metric = $metric
    AND lowest IS NOT DISTINCT FROM $low AND highest IS NOT DISTINCT FROM $high
"""
