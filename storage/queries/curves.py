"""Learning curves of the search: of one trial, and of a stratified sample of many."""

from collections.abc import Sequence
from typing import Any

from pydantic import FiniteFloat

from pegbox.schemas.base import Schema
from pegbox.schemas.training_place import TrainingPlace
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.asking import ask, ask_column, ask_value


class Point(Schema):
    """A metric at one step of training."""

    step: int
    value: FiniteFloat


class CurvePoint(Schema):
    """A metric at one step of one trial, as the mean over its folds."""

    trial: int
    step: int
    value: FiniteFloat | None


def curve(file: HistoryFile, study: str, metric: str, trial: int) -> dict[int, float]:
    """A metric of a trial by step, while it was searched for, on the first fold; of the last attempt that has it."""
    return _curve(file, study=study, metric=metric, trial=trial, fold=0, replicate=None, attempt=None)


def segment_curve(file: HistoryFile, study: str, metric: str, place: TrainingPlace) -> dict[int, float]:
    """A metric by step, of the training that a segment goes on with."""
    return _curve(file, study=study, metric=metric, **dict(place))


def _curve(file: HistoryFile, **values: Any) -> dict[int, float]:
    found = ask(
        file,
        Point,
        "SELECT step, arg_max(value, attempt) AS value FROM metrics WHERE study = $study AND trial = $trial "
        "AND name = $metric AND replicate IS NOT DISTINCT FROM $replicate AND fold = $fold "
        "AND attempt <= coalesce($attempt, attempt) AND value IS NOT NULL GROUP BY step ORDER BY step",
        **values,
    )
    return {one.step: one.value for one in found}


def n_curves(file: HistoryFile, study: str, metric: str) -> int:
    """Trials that have a learning curve of a metric."""
    query = f"SELECT count(DISTINCT trial) FROM metrics WHERE {_OF_SEARCH}"  # noqa: S608
    return int(ask_value(file, query, study=study, metric=metric))


def trials_with_curves(file: HistoryFile, study: str, metric: str, always: Sequence[int], most: int) -> tuple[int, ...]:
    """Trials with a learning curve: those that are named, the best that compete, and an even sample of each outcome.

    Args:
        file: The store's history.
        study: Its name.
        metric: That the curve is of.
        always: Trials that come first.
        most: How many at most.
    """
    return ask_column(file, _SAMPLED, study=study, metric=metric, always=list(always), most=most)


def curve_points(file: HistoryFile, study: str, metric: str, trials: Sequence[int]) -> tuple[CurvePoint, ...]:
    """The curves of some trials, each as the mean over its folds and attempts; by trial and step."""
    query = (
        f"SELECT trial, step, avg(value) AS value FROM metrics WHERE {_OF_SEARCH} "  # noqa: S608
        "AND list_contains($trials, trial) GROUP BY trial, step ORDER BY trial, step"
    )
    return ask(file, CurvePoint, query, study=study, metric=metric, trials=list(trials))


_OF_SEARCH = "study = $study AND name = $metric AND replicate IS NULL"

# Twenty of the best first, picked by hand, as many curves as can be told apart; the rest in turn by outcome, so that a
# few failed trials are not lost among thousands. By hash of the number: even over the study, and the same at each
# look, where a random sample would flicker.
_SAMPLED = f"""
SELECT trial FROM (
    SELECT t.number AS trial, t.state,
        row_number() OVER (ORDER BY NOT coalesce(t.competes, false), t.loss NULLS LAST, t.number) AS place,
        row_number() OVER (PARTITION BY t.state ORDER BY hash(t.number)) AS turn
    FROM trials AS t
    WHERE t.study = $study AND t.number IN (SELECT DISTINCT trial FROM metrics WHERE {_OF_SEARCH})
) ORDER BY list_contains($always, trial) DESC, place > 20, turn LIMIT $most
"""  # noqa: S608
