"""Segments of training: those that run now, those that ended, and worker utilisation (the share of idle time)."""

from pydantic import FiniteFloat

from pegbox.schemas.base import Schema
from pegbox.schemas.training_place import TrainingPlace
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.asking import ParamsColumn, ask, ask_value


class RunningSegment(TrainingPlace):
    """A segment that a worker trains now."""

    to_budget: int
    seconds: FiniteFloat
    """Since it was handed over; below 0 where the clocks of two machines differ."""
    configuration: ParamsColumn


class TrainedSeconds(Schema):
    """What training took."""

    search: FiniteFloat
    finalists: FiniteFloat
    """On fresh seeds."""


class SettledSeed(Schema):
    """A fresh seed, and the finalists that are done with it."""

    replicate: int
    n_settled: int


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
    """The last segments that were trained to their end and not found in a cache, latest first."""
    return ask(file, EndedSegment, _ENDED, study=study, most=most)


def n_ended_segments(file: HistoryFile, study: str) -> int:
    """How many were trained to their end and not found in a cache."""
    return int(ask_value(file, f"SELECT count(*) FROM segments WHERE {_KNOWN_WORKER}", study=study))  # noqa: S608


def trained_seconds(file: HistoryFile, study: str) -> TrainedSeconds:
    """Of all training that was not found in a cache, failed attempts included."""
    (found,) = ask(
        file,
        TrainedSeconds,
        "SELECT coalesce(sum(seconds) FILTER (replicate IS NULL), 0) AS search, "
        "coalesce(sum(seconds) FILTER (replicate IS NOT NULL), 0) AS finalists FROM segments "
        "WHERE study = $study AND NOT coalesce(cached, false)",
        study=study,
    )
    return found


def idle_share(file: HistoryFile, study: str, workers: int) -> float | None:
    """Share of the time of each run, from its first segment to its last, in which a worker had none."""
    share = ask_value(file, _IDLE, study=study, workers=workers)
    return None if share is None else float(share)


def settled_seeds(file: HistoryFile, study: str) -> tuple[SettledSeed, ...]:
    """The fresh seeds of the finalists that have a value or failed for good, by their number."""
    return ask(file, SettledSeed, _SETTLED, study=study)


_TRAINED = """
    study = $study AND ended_at IS NOT NULL AND seconds IS NOT NULL AND NOT coalesce(cached, false)
"""

_KNOWN_WORKER = f"{_TRAINED} AND reached IS NOT NULL"
"""Of an attempt that failed nobody knows which worker it had."""

_SETTLED = """
WITH last_attempts AS (
    SELECT trial, replicate, arg_max(state, attempt) AS state
    FROM attempts WHERE study = $study AND replicate IS NOT NULL GROUP BY trial, replicate
),
settled AS (
    SELECT trial, replicate FROM evaluations WHERE study = $study AND replicate IS NOT NULL AND fold IS NULL
    UNION SELECT trial, replicate FROM last_attempts WHERE state = 'failed'
)
SELECT replicate, count(*) AS n_settled FROM settled GROUP BY replicate ORDER BY replicate
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
FROM (SELECT * FROM segments WHERE {_KNOWN_WORKER}) AS s JOIN trials AS t ON t.study = s.study AND t.number = s.trial
ORDER BY s.ended_at DESC LIMIT $most
"""  # noqa: S608

# A run that trained nothing offers nothing: sums and no mean of shares, so that a short run does not weigh as much as
# a long one.
_IDLE = f"""
SELECT 1 - sum(busy) / sum(offered) FROM (
    SELECT run, sum(seconds) AS busy, $workers * (max(epoch(ended_at)) - min(epoch(ended_at) - seconds)) AS offered
    FROM segments WHERE {_TRAINED} GROUP BY run
)
"""  # noqa: S608
