"""Stretches of training: those that run now, those that ended, and the time in which no worker had one."""

from pydantic import FiniteFloat

from pegbox.schemas.base import Schema
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.asking import ParamsColumn, ask, ask_value


class RunningSegment(Schema):
    """A segment that a worker trains now."""

    trial: int
    replicate: int | None
    fold: int
    attempt: int
    to_budget: int
    seconds: FiniteFloat
    """Since it was handed over; below 0 where the clocks of two machines differ."""
    configuration: ParamsColumn


class EndedSegment(Schema):
    """A segment that was trained, as a stretch of Unix time."""

    worker: str
    trial: int
    start: FiniteFloat
    end: FiniteFloat
    state: str
    """Of its trial; `replicate` for a fresh seed of the finalists' round."""


def running_segments(file: HistoryFile, study: str, run: str) -> tuple[RunningSegment, ...]:
    """The segments that a run trains now, the first one first."""
    return ask(file, RunningSegment, _RUNNING, study=study, run=run)


def ended_segments(file: HistoryFile, study: str, most: int) -> tuple[EndedSegment, ...]:
    """The last segments that were trained (not found in a cache), latest first."""
    return ask(file, EndedSegment, _ENDED, study=study, most=most)


def n_ended_segments(file: HistoryFile, study: str) -> int:
    """How many were trained and not found in a cache."""
    return int(ask_value(file, f"SELECT count(*) FROM segments WHERE {_TRAINED}", study=study))  # noqa: S608


def trained_seconds(file: HistoryFile, study: str) -> float:
    """Of all segments that were trained and not found in a cache, as their workers counted them."""
    query = "SELECT coalesce(sum(seconds) FILTER (NOT cached), 0) FROM segments WHERE study = $study"
    return float(ask_value(file, query, study=study))


def idle_share(file: HistoryFile, study: str, workers: int) -> float | None:
    """Share of the time of each run, from its first segment to its last, in which a worker had none."""
    share = ask_value(file, _IDLE, study=study, workers=workers)
    return None if share is None else float(share)


def n_replicates(file: HistoryFile, study: str) -> int:
    """Fresh seeds of finalists that have a value."""
    query = "SELECT count(*) FROM evaluations WHERE study = $study AND replicate IS NOT NULL AND fold IS NULL"
    return int(ask_value(file, query, study=study))


_TRAINED = """
    study = $study AND ended_at IS NOT NULL AND seconds IS NOT NULL AND NOT coalesce(cached, false)
"""

_RUNNING = """
SELECT s.trial, s.replicate, s.fold, s.attempt, s.to_budget,
    date_diff('millisecond', s.started_at, now()) / 1000 AS seconds, CAST(t.params AS JSON) AS configuration
FROM segments AS s JOIN trials AS t ON t.study = s.study AND t.number = s.trial
JOIN attempts AS a ON a.study = s.study AND a.trial = s.trial AND a.attempt = s.attempt
    AND a.replicate IS NOT DISTINCT FROM s.replicate
WHERE s.study = $study AND s.run = $run AND s.ended_at IS NULL AND a.state = 'running'
ORDER BY s.started_at
"""

_ENDED = f"""
SELECT coalesce(s.worker, '') AS worker, s.trial, epoch(s.ended_at) - s.seconds AS start, epoch(s.ended_at) AS "end",
    CASE WHEN s.replicate IS NOT NULL THEN 'replicate' ELSE t.state END AS state
FROM (SELECT * FROM segments WHERE {_TRAINED}) AS s JOIN trials AS t ON t.study = s.study AND t.number = s.trial
ORDER BY s.ended_at DESC LIMIT $most
"""  # noqa: S608

_IDLE = f"""
SELECT 1 - sum(busy) / sum(offered) FROM (
    SELECT run, sum(seconds) AS busy, $workers * (max(epoch(ended_at)) - min(epoch(ended_at) - seconds)) AS offered
    FROM segments WHERE {_TRAINED} GROUP BY run
)
"""  # noqa: S608
