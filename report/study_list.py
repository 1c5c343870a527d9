"""The studies of a store, and which one a name means; looks into none of them."""

from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import Field, FiniteFloat

from pegbox.report import reached
from pegbox.report.asking import rows
from pegbox.schemas.base import Schema
from pegbox.schemas.errors import NotFoundError, suggest
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import HistoryFile, open_history
from pegbox.storage.layout import StoreLayout
from pegbox.storage.study_lock import study_holder


class StudyLine(Schema):
    """One study among others."""

    study: str
    state: str
    """Of its last run."""
    trials: int
    completed: int
    failed: int
    metric: str
    """Of the first objective."""
    goal: str
    best: FiniteFloat | None = None
    """Of one objective, among the trials that keep the constraints."""
    n_front: int | None = None
    """With several objectives: trials that no other beats in all of them."""
    n_objectives: int = 1
    winner: int | None = None
    changed_at: datetime | None = None
    tags: dict[str, str] = Field(default={})


def list_studies(root: Path) -> tuple[StudyLine, ...]:
    """All studies of a store, the one that was active last comes first.

    Raises:
        NotFoundError: There is no history in the directory.
    """
    with open_history(root) as history:
        lines = [_line(history, *values) for values in rows(history, _STUDIES)]
    store = StoreLayout(root.absolute())
    return tuple(
        line.model_copy(update={"state": "lost"})
        if line.state == "running" and study_holder(store, line.study) is None
        else line
        for line in lines
    )


def _line(history: HistoryFile, raw_spec: str, best: float | None, *values: Any) -> StudyLine:
    names = ("study", "state", "trials", "completed", "failed", "winner", "changed_at", "tags")
    spec = StudySpec.model_validate_json(raw_spec)
    front = reached.front(history, spec)
    if spec.constraints and front is None:
        kept = reached.best_trial(history, spec)
        best = kept.value if kept else None
    return StudyLine(
        **dict(zip(names, values, strict=True)),
        metric=spec.goals[0].metric,
        goal=spec.goals[0].goal,
        best=best if len(spec.goals) == 1 else None,
        n_front=len(front.trials) if front else None,
        n_objectives=len(spec.goals),
    )


def study_named(history: HistoryFile, study: str | None) -> str:
    """The name itself, or that of the study that was active last where it is None.

    Raises:
        NotFoundError: There is no such study, or none at all.
    """
    names = [row[0] for row in rows(history, _NAMES)]
    if study is None:
        if not names:
            raise NotFoundError("The history holds no study yet. Run one with `pegbox run study.yaml`.")
        return str(names[0])
    if study not in names:
        raise NotFoundError(f"The history holds no study {study!r}. {suggest(study, names)}")
    return study


_NAMES = """
SELECT study FROM studies LEFT JOIN runs USING (study) GROUP BY study, created_at
ORDER BY coalesce(max(ended_at), max(started_at), created_at) DESC, study
"""

_STUDIES = """
WITH last_run AS (
    SELECT study, arg_max(status, started_at) AS status, max(coalesce(ended_at, started_at)) AS changed_at
    FROM runs GROUP BY study
),
tally AS (
    SELECT
        study, count(*) AS trials, count(*) FILTER (state = 'completed') AS completed,
        count(*) FILTER (state = 'failed') AS failed, min(value) FILTER (state = 'completed') AS lowest,
        max(value) FILTER (state = 'completed') AS highest, max(coalesce(ended_at, started_at)) AS changed_at
    FROM trials GROUP BY study
),
answer AS (SELECT study, arg_max(winner, selected_at) AS winner FROM selections GROUP BY study)
SELECT
    spec, CASE WHEN s.goals[1] = 'maximize' THEN highest ELSE lowest END,
    study, coalesce(r.status, 'waiting'), coalesce(trials, 0), coalesce(completed, 0), coalesce(failed, 0), winner,
    greatest(s.changed_at, r.changed_at, t.changed_at) AS last_change, tags
FROM studies AS s LEFT JOIN last_run AS r USING (study) LEFT JOIN tally AS t USING (study)
LEFT JOIN answer USING (study)
ORDER BY last_change DESC, study
"""
