"""Folds a batch of journal lines into the tables, by the SQL files beside it; opens no file of a store."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import duckdb

from pegbox.storage.eligibility import judge, lead
from pegbox.storage.journal_lines import JournalLine
from pegbox.storage.renames import clear, move

_DIRECTORY = Path(__file__).parent / "projection"


class BatchLine(NamedTuple):
    """A whole line and where it stands."""

    journal: str
    byte_offset: int
    line: JournalLine


_OF_STUDIES = {
    "study_opened",
    "run_started",
    "run_ended",
    "search_ended",
    "earlier_chosen",
    "selection_made",
    "artifact_written",
    "model_made",
    "model_promoted",
    "schedule_step",
    "study_renamed",
    "study_dropped",
    "study_merged",
    "note_written",
}
_OF_TRIALS = {
    "decision_made",
    "segment_started",
    "segment_trained",
    "trial_evaluated",
    "trial_failed",
    "trial_retried",
    "trial_reopened",
}
# A study that is opened anew may decide otherwise what the values of its trials are, and which of them compete; where
# its search ends, what was paused is stopped.
_CHANGES_TRIALS = _OF_TRIALS | {"study_opened", "search_ended"}
# The order is that of the tables: trials ask `studies` for the objectives, and for whether the search is over.
_STAGES = {
    "10_events": _OF_STUDIES | _OF_TRIALS,
    "20_metrics": {"metrics_reported"},
    "30_studies": _OF_STUDIES | {"decision_made", "trial_retried"},
    "40_trials": _CHANGES_TRIALS,
}
"""SQL file to the types of event that it is about; the others leave its tables as they are."""


def project(connection: duckdb.DuckDBPyConnection, lines: Sequence[BatchLine]) -> None:
    """Add the events of the lines to all tables; lines that were added before change nothing.

    The caller holds the transaction.

    Raises:
        duckdb.Error: A line cannot be read as JSON, or the database fails.
    """
    _load(connection, lines)
    _run(connection, "00_batch")
    # Before the stages: every table is keyed by the name of today, and a line tells the name of its day.
    moved = move(connection)
    arrived = {row[0] for row in connection.execute("SELECT DISTINCT type FROM batch").fetchall()}
    connection.execute("CREATE OR REPLACE TEMP TABLE respecified (study VARCHAR)")
    for stage, types in _STAGES.items():
        if arrived & types:
            _run(connection, stage)
    _decide(connection, arrived)
    for study in (*moved.names, *moved.hidden):
        clear(connection, study)
    for study in set(moved.names) - set(moved.hidden):
        _fold_study(connection, study)


def fold_again(connection: duckdb.DuckDBPyConnection) -> None:
    """Fold those studies from their events that are not judged yet: an older schema of the database did not do it.

    The caller holds the transaction.
    """
    unjudged = connection.execute("SELECT study FROM studies ANTI JOIN leaders USING (study) ORDER BY study").fetchall()
    for (study,) in unjudged:
        _fold_study(connection, study)


def _fold_study(connection: duckdb.DuckDBPyConnection, study: str) -> None:
    """Make all that is made of a study's events, from those that are recorded."""
    connection.execute("CREATE OR REPLACE TEMP TABLE arrived AS FROM events WHERE study = ?", [study])
    connection.execute("CREATE OR REPLACE TEMP TABLE respecified (study VARCHAR)")
    _run(connection, "30_studies")
    _run(connection, "40_trials")
    _decide(connection, _CHANGES_TRIALS)


def _decide(connection: duckdb.DuckDBPyConnection, arrived: set[str]) -> None:
    """Which of the folded trials compete, and who leads."""
    if arrived & _CHANGES_TRIALS:
        judge(connection)
        _run(connection, "50_standing")
    if arrived & (_CHANGES_TRIALS | {"selection_made"}):
        lead(connection)


def _run(connection: duckdb.DuckDBPyConnection, stage: str) -> None:
    for sql in _statements(stage):
        connection.execute(sql, {"head": _event_columns()} if "$head" in sql else None)


def _load(connection: duckdb.DuckDBPyConnection, lines: Sequence[BatchLine]) -> None:
    import pyarrow as pa

    # Arrow is scanned in place; executemany would be 490 times slower (measured on DuckDB 2.0).
    table = pa.table(
        {
            "journal": pa.array([line.journal for line in lines], pa.string()),
            "byte_offset": pa.array([line.byte_offset for line in lines], pa.int64()),
            "seq": pa.array([line.line.seq for line in lines], pa.int64()),
            "written_at": pa.array([line.line.at for line in lines], pa.float64()),
            "version": pa.array([line.line.version for line in lines], pa.int64()),
            "body": pa.array([line.line.body for line in lines], pa.large_string()),
        }
    )
    connection.register("incoming_arrow", table)
    # Copied once: each stage reads the batch several times, and a scan of Arrow pays for conversion each time.
    connection.execute("CREATE OR REPLACE TEMP TABLE incoming AS FROM incoming_arrow")
    connection.unregister("incoming_arrow")


@cache
def _statements(stage: str) -> tuple[str, ...]:
    """One by one, because a parameter belongs to a single statement."""
    text = (_DIRECTORY / f"{stage}.sql").read_text(encoding="utf-8")
    return tuple(part for part in re.split(r";\s*\n", text) if part.strip())


@cache
def _event_columns() -> str:
    return (_DIRECTORY / "head.json").read_text(encoding="utf-8")
