"""Garbage collection: deletes what can be computed again: checkpoints of past trials, cached results, pictures.

And databases that were kept when they were made again.
"""

import re
import shutil
import time
from pathlib import Path
from typing import NamedTuple

from pegbox.schemas.data import DECODED
from pegbox.schemas.events import StudyDropped
from pegbox.storage.amending import forgotten_studies
from pegbox.storage.ingest import bring_up_to_date
from pegbox.storage.journal import Journal
from pegbox.storage.layout import StoreLayout
from pegbox.storage.reading import connect_snapshot
from pegbox.storage.rebuilding import put_aside

# Picked by hand: twice the five finalists that a study has at most by default, so that a limit that is tightened or a
# finalist that fails still leaves whom to take.
KEEP = 10
"""Checkpoints of so many of the best completed trials of each study are kept, those that compete first."""

# Picked by hand: far more than the seconds between writing a checkpoint and journalling it; costs disk for an hour.
GRACE_SECONDS = 3600.0
"""Younger files stay: a worker may have written them a moment before its driver says so."""

_NAMED = """
WITH named AS (
    SELECT study, trial, replicate, ended_at AS at, checkpoint FROM segments
    UNION ALL SELECT study, trial, json_extract(body, '$.evaluation.replicate')::INTEGER, written_at,
        json_extract_string(body, '$.checkpoints.*').unnest()
    FROM events SEMI JOIN studies USING (study) WHERE type = 'trial_evaluated'
    UNION ALL SELECT study, winner, NULL, selected_at, checkpoint FROM selections
    -- What a copy begins with is the checkpoint of another trial, which may go on and leave a later one.
    UNION ALL SELECT d.study, d.trial, NULL, d.decided_at, json_extract_string(e.body, '$.checkpoints.*').unnest()
    FROM decisions AS d JOIN events AS e ON e.study = d.study AND e.trial = d.parent AND e.type = 'trial_evaluated'
    WHERE d.kind = 'fork' AND (e.body->>'$.evaluation.budget')::INTEGER = d.from_budget
        AND e.body->>'$.evaluation.fold' IS NULL AND e.body->>'$.evaluation.replicate' IS NULL
),
ranked AS (
    -- Where fewer compete than are kept, others are: a limit may be loosened, a space widened again.
    SELECT t.study, t.number, row_number() OVER (
        PARTITION BY t.study ORDER BY c.place IS NULL, c.place, t.loss, t.number
    ) AS place
    FROM completed AS t LEFT JOIN competing AS c ON c.study = t.study AND c.number = t.number
),
kept AS (
    SELECT study, number AS trial FROM ranked WHERE place <= $keep
    UNION SELECT study, number FROM trials WHERE state IN ('proposed', 'running', 'paused')
    -- What a search left at a rung when it ended may go on from there with a larger budget.
    UNION SELECT t.study, t.number FROM trials AS t
    ANTI JOIN (SELECT study, trial FROM decisions WHERE kind = 'stop') AS d ON d.study = t.study AND d.trial = t.number
    WHERE t.state = 'stopped'
    UNION SELECT study, winner FROM selections
),
evaluated AS (
    SELECT study, trial, max(written_at) AS at FROM events
    WHERE type = 'trial_evaluated' AND json_extract_string(body, '$.evaluation.fold') IS NULL
        AND json_extract_string(body, '$.evaluation.replicate') IS NULL
    GROUP BY study, trial
),
needed AS (
    -- A trial goes on from where it was last evaluated; what it left at lower rungs is of no use.
    SELECT n.checkpoint FROM named AS n
    SEMI JOIN kept USING (study, trial) LEFT JOIN evaluated AS e USING (study, trial)
    WHERE n.replicate IS NOT NULL OR e.at IS NULL OR n.at IS NULL OR n.at >= e.at
    -- The next winner is found among the finalists' fresh seeds, and measured from the checkpoint of one.
    UNION ALL SELECT checkpoint FROM named AS n
    LEFT JOIN (SELECT study, max(selected_at) AS selected_at FROM selections GROUP BY study) AS s USING (study)
    WHERE n.replicate IS NOT NULL AND (s.study IS NULL OR n.at > s.selected_at)
)
"""
"""Every checkpoint that the history names, with whose it is, and those that somebody still needs."""

_KEPT = "SELECT DISTINCT checkpoint FROM needed WHERE checkpoint IS NOT NULL"

_LEFT_OVER = """
SELECT DISTINCT checkpoint FROM named
WHERE checkpoint IS NOT NULL AND study = $study
    AND checkpoint NOT IN (SELECT n.checkpoint FROM named AS n WHERE n.checkpoint IS NOT NULL AND n.study <> $study)
    AND checkpoint NOT IN (SELECT n.checkpoint FROM needed AS n WHERE n.checkpoint IS NOT NULL)
"""


# Picked by hand: whoever looks into what a rebuild saved has done it by then; a database takes as much room as the
# store's history.
KEPT_DATABASE_SECONDS = 7 * 86400.0
"""How long `gc` leaves a database that was kept when it was made again."""


class Garbage(NamedTuple):
    """A file or directory that can go."""

    path: Path
    n_bytes: int


class Collected(NamedTuple):
    """What was, or would be, deleted, and what stays."""

    checkpoints: tuple[Garbage, ...]
    cache: tuple[Garbage, ...]
    databases: tuple[Garbage, ...]
    pictures: tuple[Garbage, ...]
    """Decoded, which is done again where a study asks for them."""
    n_kept: int
    deleted: bool

    @property
    def n_bytes(self) -> int:
        """Size of all that can go."""
        return sum(item.n_bytes for item in self.all)

    @property
    def all(self) -> tuple[Garbage, ...]:
        """Everything that can go."""
        return *self.checkpoints, *self.cache, *self.databases, *self.pictures


def collect_garbage(store: StoreLayout, keep: int = KEEP, *, dry_run: bool = False) -> Collected:
    """Delete checkpoints that no trial needs any more, and cached results.

    Studies that were forgotten keep nothing, and cannot be restored afterwards.

    Databases that were kept when they were made again go after a week.

    Kept are the checkpoints of the best completed trials of each study, of trials whose life goes on, and of winners.
    Cached results and decoded pictures are kept while a trial of any study goes on, except results that name a
    checkpoint that goes. What was written within the last hour stays. Prepared data stays: studies train on it, and
    hold what they need of their pictures there.

    Args:
        store: The store.
        keep: How many of the best trials of each study keep their checkpoints.
        dry_run: Only say what would go.

    Raises:
        NotFoundError: There is no history.
        StoreUnwritableError: The history cannot be brought up to date.
    """
    bring_up_to_date(store)
    with connect_snapshot(store) as connection:
        kept = {Path(row[0]).absolute() for row in connection.execute(_NAMED + _KEPT, {"keep": keep}).fetchall()}
        busy = connection.execute(
            "SELECT count(*) FROM trials WHERE state IN ('proposed', 'running', 'paused')"
        ).fetchone()
    entries = _entries(store.checkpoints)
    past = tuple(Garbage(path, _size(path)) for path in entries if _is_old(path) and not _is_needed(path, kept))
    # A running trial may find its next segment in the cache: deleting it would train again what is paid for.
    is_busy = busy is not None and busy[0] > 0
    # The cached result of a segment goes with its checkpoint: found alone, it would promise a model that is not there.
    gone = {key for item in past for key in _KEY.findall(item.path.name)}
    cached = tuple(
        Garbage(path, _size(path))
        for path in _entries(store.cache)
        if _names_one_of(path, gone) or (not is_busy and _is_old(path))
    )
    databases = tuple(Garbage(path, _size(path)) for path in put_aside(store) if _is_old(path, KEPT_DATABASE_SECONDS))
    pictures = tuple(
        Garbage(path, _size(path)) for path in _entries(store.data / DECODED) if not is_busy and _is_old(path)
    )
    found = Collected(past, cached, databases, pictures, len(entries) - len(past), deleted=not dry_run)
    if not dry_run:
        # Before the first file goes: a kill in the midst must not leave a study that can be restored by its events and
        # not by its files.
        _drop_forgotten(store)
        for item in found.all:
            _delete(item.path)
    return found


def _drop_forgotten(store: StoreLayout) -> None:
    """Say, before anything of them is deleted, that what is forgotten cannot be restored any more."""
    if found := forgotten_studies(store):
        journal = Journal(store.journal, writer="amend")
        journal.append(*(StudyDropped(study=one.name) for one in found))
        journal.close()
        bring_up_to_date(store)


def drop_checkpoints(store: StoreLayout, study: str, keep: int) -> int:
    """Delete the checkpoints that one study has left behind, with the cached results that name them.

    Kept are those of its best completed trials (those that compete first), of trials whose life goes on, of fresh
    seeds among which the winner is still to be found, of the winner, and all that another study names as well. What the
    published snapshot does not know yet stays.

    Args:
        store: The store.
        study: Its name.
        keep: How many of its best trials keep their checkpoints.

    Returns:
        How many were deleted.
    """
    with connect_snapshot(store) as connection:
        rows = connection.execute(_NAMED + _LEFT_OVER, {"keep": keep, "study": study}).fetchall()
    past = [path for row in rows if (path := Path(row[0])).exists()]
    gone = {key for path in past for key in _KEY.findall(path.name)}
    # What lies beside one goes with it: the losses of its rows, the state of an epoch on the way to it.
    beside = [other for path in past for other in path.parent.glob(f"{path.stem}.*") if other != path]
    for path in (
        *past,
        *beside,
        *(path for path in _entries(store.cache) if not gone.isdisjoint(_KEY.findall(path.name))),
    ):
        _delete(path)
    return len(past)


# As `Segment.content_key` spells a key; names of files are all that ties a cached result to its checkpoint.
_KEY = re.compile("[0-9a-f]{32}")


def _entries(directory: Path) -> list[Path]:
    return sorted(directory.absolute().iterdir()) if directory.is_dir() else []


def _is_old(path: Path, seconds: float = GRACE_SECONDS) -> bool:
    return time.time() - path.lstat().st_mtime >= seconds


def _names_one_of(path: Path, keys: set[str]) -> bool:
    """True if a cached result is of a segment, or names a checkpoint, that goes: found later, it would lead nowhere."""
    if not keys or not path.is_file():
        return False
    return not keys.isdisjoint(_KEY.findall(path.name + path.read_text(errors="replace")))


def _is_needed(path: Path, kept: set[Path]) -> bool:
    """True if the entry is, holds, or stands beside (`name.json` of `name.pt`) something that is kept."""
    return any(path == item or path in item.parents or path.stem == item.stem for item in kept)


def _size(path: Path) -> int:
    if path.is_dir() and not path.is_symlink():
        return sum(item.stat().st_size for item in path.rglob("*") if item.is_file())
    return path.lstat().st_size


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
