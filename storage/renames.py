"""Under which name each event belongs now: studies are renamed and forgotten by events, which no journal line follows.

Runs inside the transaction of an ingest. A journal says what happened under the name of that time, and lines arrive in
any order; so the name of today is worked out from the name in the line and its version or, where it has none, its time.
"""

from datetime import UTC, datetime
from typing import NamedTuple

import duckdb

from pegbox.storage.master import identifier

_DERIVED = (
    *("studies", "runs", "decisions", "trials", "attempts", "segments", "evaluations", "selections", "artifacts"),
    *("violations", "leaders"),
)
"""Tables that are made from events, by study."""

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class _Rename(NamedTuple):
    study: str
    version: int
    name: str
    forgotten: bool
    at: datetime


class Moved(NamedTuple):
    """What a batch of lines has to do with studies of other names.

    Attributes:
        names: Studies whose rows are to be made again.
        hidden: Forgotten studies, which have no rows.
    """

    names: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()


def move(connection: duckdb.DuckDBPyConnection) -> Moved:
    """Take note of the renames of the batch, and give its lines, and all that came before, the names of today."""
    new = connection.execute(_ADD).fetchall()
    connection.execute(
        "UPDATE renames SET dropped = true WHERE name IN (SELECT study FROM batch WHERE type = 'study_dropped')"
    )
    renames = [_Rename(*row) for row in connection.execute(_ALL).fetchall()]
    if not renames:
        return Moved()
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE moved (raw VARCHAR, after_version BIGINT, version BIGINT, "
        "after_time TIMESTAMPTZ, time TIMESTAMPTZ, name VARCHAR)"
    )
    # executemany is slow (490 times the time of appending), and right here: a store has a handful of renames.
    connection.executemany("INSERT INTO moved VALUES (?, ?, ?, ?, ?, ?)", _intervals(renames))
    connection.execute(_MOVE_BATCH)
    hidden = tuple({_name_now(renames, one.name, one.at) for one in renames if one.forgotten} & _hidden(renames))
    if not new:
        return Moved((), hidden)
    connection.execute(_MOVE_EVENTS)
    # By time: a name that was passed on twice in one batch must be passed on in that order. Metrics have no version,
    # so the time of the line decides whose they are.
    for study, name, at in sorted(new, key=lambda one: one[2]):
        connection.execute("UPDATE metrics SET study = ? WHERE study = ? AND reported_at <= ?", [name, study, at])
    touched = {name for study, name, _ in new} | {study for study, _, _ in new}
    return Moved(tuple(sorted(touched | {_name_now(renames, name, at) for _, name, at in new})), hidden)


def clear(connection: duckdb.DuckDBPyConnection, study: str) -> None:
    """Remove all that was made of a study's events."""
    for (view,) in connection.execute(
        "SELECT view_name FROM studies WHERE study = ? AND view_name <> ''", [study]
    ).fetchall():
        connection.execute(f"DROP VIEW IF EXISTS {identifier(view)}")
    for table in _DERIVED:
        connection.execute(f"DELETE FROM {table} WHERE study = ?", [study])  # noqa: S608 - a name of ours


def _hidden(renames: list[_Rename]) -> set[str]:
    return {one.name for one in renames if one.forgotten}


def _intervals(renames: list[_Rename]) -> list[tuple[str, int, int, datetime, datetime, str]]:
    """For each rename the lines that it moves, and the name that they end up with."""
    found = []
    for one in renames:
        before = [other for other in renames if other.study == one.study and other.version < one.version]
        after_version = max((other.version for other in before), default=0)
        after_time = max((other.at for other in before), default=_BEGINNING)
        name = _name_now(renames, one.name, one.at)
        found.append((one.study, after_version, one.version, after_time, one.at, name))
    return found


def _name_now(renames: list[_Rename], name: str, at: datetime) -> str:
    """What became of a name that was given at a moment."""
    while later := [one for one in renames if one.study == name and one.at > at]:
        name, at = (first := min(later, key=lambda one: one.at)).name, first.at
    return name


_ADD = """
INSERT INTO renames
SELECT study, version, event.name, coalesce(event.forgotten, false), false, written_at FROM batch AS b
WHERE type = 'study_renamed' AND version IS NOT NULL AND event.name IS NOT NULL
    AND NOT EXISTS (FROM renames AS r WHERE r.study = b.study AND r.version = b.version)
RETURNING study, name, renamed_at
"""

_ALL = "SELECT study, version, name, forgotten, renamed_at FROM renames ORDER BY renamed_at, version"

_MOVE_BATCH = """
CREATE OR REPLACE TEMP TABLE batch AS
SELECT b.* REPLACE (coalesce(m.name, b.study) AS study)
FROM batch AS b LEFT JOIN moved AS m ON m.raw = b.study AND (
    (b.version > m.after_version AND b.version <= m.version)
    OR (b.version IS NULL AND b.written_at > m.after_time AND b.written_at <= m.time)
)
"""

_MOVE_EVENTS = """
UPDATE events AS b SET study = m.name FROM moved AS m
WHERE m.raw = b.body->>'$.study' AND b.study <> m.name AND (
    (b.version > m.after_version AND b.version <= m.version)
    OR (b.version IS NULL AND b.written_at > m.after_time AND b.written_at <= m.time)
)
"""
