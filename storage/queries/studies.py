"""The studies of a store: their names, what each declares, and how each stands among the others."""

from datetime import datetime

from pydantic import Field, FiniteFloat, Json

from pegbox.schemas.base import Schema
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.asking import ask, ask_column, ask_value


class Declared(Schema):
    """What a study declares."""

    spec: Json[StudySpec]
    view_name: str
    """SQL view with one column for each parameter; empty where another version of pegbox wrote the specification."""


class Overview(Schema):
    """One study among others."""

    study: str
    spec: Json[StudySpec]
    state: str
    """Of its last run; `waiting` before there is one."""
    trials: int
    completed: int
    failed: int
    best: int | None
    """The answer: the winner on fresh seeds where a selection stands, else the incumbent."""
    best_value: FiniteFloat | None
    """Of the first objective."""
    is_selected: bool
    n_front: int
    """Trials that no other beats in every objective."""
    trained_seconds: FiniteFloat | None
    """Of all training that was not found in a cache, fresh seeds and failed attempts included."""
    changed_at: datetime | None
    tags: dict[str, str] | None = Field(default=None)


class Moments(Schema):
    """When a study began, when it last changed, and what it took."""

    started_at: datetime | None
    changed_at: datetime | None
    """When the history was last written to."""
    trained_seconds: FiniteFloat
    """Of all segments that were computed."""
    version: int


def study_names(file: HistoryFile) -> tuple[str, ...]:
    """All studies, the one that was active last comes first."""
    return ask_column(
        file,
        "SELECT study FROM studies LEFT JOIN runs USING (study) GROUP BY study, created_at "
        "ORDER BY coalesce(max(ended_at), max(started_at), created_at) DESC, study",
    )


def declared(file: HistoryFile, study: str) -> Declared:
    """What a study that the store holds declares, as it was last opened."""
    found = ask(
        file,
        Declared,
        "SELECT spec, coalesce(view_name, '') AS view_name FROM studies WHERE study = $study",
        study=study,
    )
    return found[0]


def overviews(file: HistoryFile) -> tuple[Overview, ...]:
    """All studies beside each other, the one that changed last comes first."""
    return ask(file, Overview, _OVERVIEWS)


def moments(file: HistoryFile, study: str) -> Moments:
    """When a study began and changed, and what it took."""
    (found,) = ask(file, Moments, _MOMENTS, study=study)
    return found


def history_version(file: HistoryFile, study: str) -> int:
    """Counts the events of a study; 0 where there is none."""
    return int(ask_value(file, "SELECT coalesce(max(version), 0) FROM events WHERE study = $study", study=study))


_OVERVIEWS = """
WITH last_run AS (
    SELECT study, arg_max(status, started_at) AS status, max(coalesce(ended_at, started_at)) AS changed_at
    FROM runs GROUP BY study
),
tally AS (
    SELECT
        study, count(*) AS trials, count(*) FILTER (state = 'completed') AS completed,
        count(*) FILTER (state = 'failed') AS failed, max(coalesce(ended_at, started_at)) AS changed_at
    FROM trials GROUP BY study
),
spent AS (SELECT study, sum(seconds) AS seconds FROM segments WHERE NOT coalesce(cached, false) GROUP BY study)
SELECT
    study, spec, coalesce(r.status, 'waiting') AS state, coalesce(trials, 0) AS trials,
    coalesce(completed, 0) AS completed, coalesce(failed, 0) AS failed,
    l.best, l.best_value, coalesce(l.is_selected, false) AS is_selected, coalesce(len(l.front), 0) AS n_front,
    p.seconds AS trained_seconds,
    greatest(s.changed_at, r.changed_at, t.changed_at) AS changed_at, tags
FROM studies AS s LEFT JOIN last_run AS r USING (study) LEFT JOIN tally AS t USING (study)
LEFT JOIN spent AS p USING (study) LEFT JOIN leaders AS l USING (study)
ORDER BY greatest(s.changed_at, r.changed_at, t.changed_at) DESC, study
"""

_MOMENTS = """
SELECT (SELECT min(started_at) FROM runs WHERE study = $study) AS started_at,
    (SELECT max(written_at) FROM events WHERE study = $study) AS changed_at,
    (SELECT coalesce(sum(seconds), 0) FROM segments WHERE study = $study AND NOT coalesce(cached, false))
        AS trained_seconds,
    (SELECT coalesce(max(version), 0) FROM events WHERE study = $study) AS version
"""
