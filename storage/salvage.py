"""Recovery: writes what only a database holds, and one made anew from the event log lacks, into a new journal."""

import json
from pathlib import Path
from typing import Literal, NamedTuple

import duckdb

from pegbox.storage.journal import Journal, Recorded
from pegbox.storage.layout import StoreLayout, kind_of
from pegbox.storage.master import OFFLINE, quoted

# Picked by hand: one flush to the disk for a thousand events, at most some megabytes at once.
_CHUNK = 1000
SAVED_FILE = "saved.json"
"""How many events of each damaged journal stand in another journal, for `pegbox store verify`."""


class Salvaged(NamedTuple):
    """What was saved into a journal: events of drivers, and reports of metrics."""

    n_events: int = 0
    n_reports: int = 0


_EVENTS = """
SELECT body, epoch_us(written_at), version FROM old.events AS o
WHERE NOT EXISTS (FROM new.events AS n WHERE n.study = o.study AND n.version = o.version)
    AND NOT EXISTS (
        FROM new.events AS n
        WHERE n.type = o.type AND n.written_at = o.written_at AND n.body = o.body  -- under whatever name it is now
    )
ORDER BY study, version, written_at
"""
_REPORTS = """
SELECT to_json({
    'study': study, 'type': 'metrics_reported', 'trial': trial, 'attempt': attempt, 'fold': fold,
    'replicate': replicate, 'seed': seed, 'step': step, 'metrics': map(list(name), list(value))
})::VARCHAR, epoch_us(reported_at), NULL
FROM old.metrics AS o
WHERE NOT EXISTS (
    FROM new.metrics AS n
    WHERE n.study = o.study AND n.trial = o.trial AND n.attempt = o.attempt AND n.fold = o.fold
        AND coalesce(n.replicate, -1) = coalesce(o.replicate, -1) AND n.step = o.step AND n.name = o.name
)
GROUP BY study, trial, attempt, fold, replicate, seed, step, reported_at
ORDER BY study, reported_at, trial, step
"""
Part = Literal["events", "reports"]
_QUERIES: dict[Part, str] = {"events": _EVENTS, "reports": _REPORTS}
_SET_ASIDE = """
INSERT INTO new.quarantine
SELECT * FROM old.quarantine ANTI JOIN new.quarantine USING (journal, line) ANTI JOIN new.journals AS j
    ON j.name = old.quarantine.journal
"""
_SHORTER = """
SELECT o.name, o.n_events - n.n_events FROM old.journals AS o JOIN new.journals AS n USING (name)
WHERE o.n_events > n.n_events
"""


def salvage(store: StoreLayout, source: Path, made: Path, part: Part, shorter: dict[str, int]) -> int | None:
    """Write what a database holds and one that was made of the journals does not into a new journal.

    Events are to be saved, and taken into the new database, before reports: a study may have been renamed by one. Lines
    that were set aside, of journals that are gone, are copied: they are no events.

    Args:
        store: Its journals.
        source: The database, which is not changed.
        made: The one that was made of the journals; nobody has it open.
        part: What to save.
        shorter: Takes, by journal, how many events the source took of it that it does not hold any more.

    Returns:
        How many were saved; None where the source cannot be read.

    Raises:
        StoreUnwritableError: The disk is full.
        OSError: Likewise.
    """
    if kind_of(source) != "file":
        return None
    connection = duckdb.connect(":memory:", config={**OFFLINE})
    try:
        connection.execute(f"ATTACH {quoted(str(source))} AS old (READ_ONLY)")
        # Not read-only: what was set aside is copied into it.
        connection.execute(f"ATTACH {quoted(str(made))} AS new")
        saved = _copy(store, connection.execute(_QUERIES[part]))
        for name, n in connection.execute(_SHORTER).fetchall():
            shorter[name] = max(n, shorter.get(name, 0))
        connection.execute(_SET_ASIDE)
        return saved
    # A damaged source saves what it gave before: each chunk is durable, and the next rebuild finds it in a journal.
    except duckdb.Error:
        return None
    finally:
        connection.close()


def _copy(store: StoreLayout, found: duckdb.DuckDBPyConnection) -> int:
    """Write the rows into a journal that begins with the first of them; gives how many there were."""
    journal = Journal(store.journal, writer="saved")
    n_lines = 0
    try:
        while rows := found.fetchmany(_CHUNK):
            journal.append_recorded([Recorded(body, _seconds(at), version) for body, at, version in rows])
            n_lines += len(rows)
    finally:
        journal.close()
    return n_lines


def saved_events(store: StoreLayout) -> dict[str, int]:
    """How many events, that a damaged journal does not hold any more, stand in another one."""
    try:
        return {str(name): int(n) for name, n in json.loads((store.journal / SAVED_FILE).read_text()).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def remember_saved(store: StoreLayout, more: dict[str, int]) -> None:
    """Add to what `saved_events` tells."""
    if not more:
        return
    known = saved_events(store)
    draft = store.journal / f"{SAVED_FILE}.tmp"
    draft.write_text(json.dumps({name: known.get(name, 0) + more.get(name, 0) for name in {*known, *more}}))
    draft.replace(store.journal / SAVED_FILE)


def _seconds(microseconds: int) -> str:
    """As a journal writes them, without a detour over a float."""
    return f"{microseconds // 1_000_000}.{microseconds % 1_000_000:06d}"
