"""How a study got on: its trials in the order in which they ended, by running time and by training time."""

from typing import Any

from pydantic import FiniteFloat

from pegbox.schemas.base import Schema
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.asking import MeasuredColumn, ParamsColumn, Row, ask


class DrawnTrial(Schema):
    """One trial with when it ended and what it took."""

    number: int
    state: str
    """`infeasible` for a completed trial that does not keep the constraints, `outside` for one that the space does not
    hold any more."""
    budget: int
    seconds: float | None
    finished: FiniteFloat | None
    """Running time of the study when the trial ended; None before."""
    spent: FiniteFloat | None
    """Training time of all trials that had ended by then."""
    failure_kind: str | None
    failure_message: str | None
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


def drawn_trials(file: HistoryFile, study: str, n_best: int, most: int) -> tuple[DrawnTrial, ...]:
    """All trials by number; of more than `most` the best and an even sample of the others.

    Args:
        file: The store's history.
        study: Its name.
        n_best: How many of the best that compete, and of each state, are among them in any case.
        most: How many at most.
    """
    return _ask_lives(file, DrawnTrial, study, _DRAWN, n_best=n_best, most=most)


def improvements(file: HistoryFile, study: str) -> tuple[Improvement, ...]:
    """Every improvement among the trials that compete, in the order in which they ended."""
    return _ask_lives(file, Improvement, study, _IMPROVEMENTS)


def improvements_by_number(file: HistoryFile, study: str) -> tuple[NumberedValue, ...]:
    """Every improvement among the trials that compete, in the order in which they began."""
    return ask(file, NumberedValue, _IMPROVEMENTS_BY_NUMBER, study=study)


def ended_with_values(file: HistoryFile, study: str) -> tuple[EndedWithValues, ...]:
    """The trials that compete, in the order of their ends."""
    return _ask_lives(file, EndedWithValues, study, _ENDED_WITH_VALUES)


def _ask_lives(file: HistoryFile, kind: type[Row], study: str, query: str, **values: Any) -> tuple[Row, ...]:
    return ask(file, kind, _LIVES + query, study=study, **values)


_LIVES = """
WITH lives AS (
    SELECT t.number, t.value, t."values", t.budget, t.seconds, t.loss, coalesce(t.competes, false) AS competes,
        CASE t.excluded_by WHEN 'breaks_constraint' THEN 'infeasible' WHEN 'outside_space' THEN 'outside'
            ELSE t.state END AS state,
        t.elapsed_seconds AS finished
    FROM trials AS t WHERE t.study = $study
), spending AS (
    SELECT *, sum(coalesce(seconds, 0)) OVER (ORDER BY finished, number ROWS UNBOUNDED PRECEDING) AS spent FROM lives
)
"""

# By hash of the number: the same trials at each refresh of a live page, where a random sample would jump. A few of each
# state first, or the three failures among thousands would be lost; all others with equal chance, so that the picture is
# as dense as the trials are.
_DRAWN = """
SELECT number, drawn.state, drawn.budget, drawn.seconds, finished,
    CASE WHEN finished IS NULL THEN NULL ELSE spent END AS spent,
    failure_kind, failure_message[:200] AS failure_message,
    coalesce(params::JSON::VARCHAR, '{}') AS configuration, metrics
FROM (
    FROM spending
    ORDER BY row_number() OVER (ORDER BY NOT competes, loss NULLS LAST, number) > $n_best
            AND row_number() OVER (PARTITION BY state ORDER BY hash(number)) > $n_best,
        hash(number)
    LIMIT $most
) AS drawn JOIN trials AS t USING (number) WHERE t.study = $study ORDER BY number
"""

_IMPROVEMENTS = """
SELECT number, finished, spent, value FROM (
    SELECT *, min(loss) OVER earlier AS before FROM spending WHERE competes
    WINDOW earlier AS (ORDER BY finished, number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
) WHERE before IS NULL OR loss < before ORDER BY finished, number
"""

_ENDED_WITH_VALUES = """
SELECT number, finished, spent, "values" FROM spending WHERE competes ORDER BY finished, number
"""

_IMPROVEMENTS_BY_NUMBER = """
SELECT number, value FROM (
    SELECT number, value, loss,
        min(loss) OVER (ORDER BY number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM trials WHERE study = $study AND competes
) WHERE before IS NULL OR loss < before ORDER BY number
"""
