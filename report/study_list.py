"""The studies of a store, and which one a name means; looks into none of them."""

from datetime import datetime
from pathlib import Path

from pydantic import Field, FiniteFloat

from pegbox.schemas.base import Schema
from pegbox.schemas.errors import NotFoundError, suggest
from pegbox.storage.history_file import HistoryFile, open_history
from pegbox.storage.layout import StoreLayout
from pegbox.storage.queries.studies import Overview, overviews, study_names
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
    """First objective of the answer: what to expect of the winner on fresh seeds, else what the search saw."""
    best_trial: int | None = None
    """The answer: the winner on fresh seeds, else the best as the search saw it."""
    is_selected: bool = False
    """True if it was chosen on fresh seeds."""
    n_front: int | None = None
    """With several objectives: trials that no other beats in all of them."""
    n_objectives: int = 1
    changed_at: datetime | None = None
    tags: dict[str, str] = Field(default={})


def list_studies(root: Path) -> tuple[StudyLine, ...]:
    """All studies of a store, the one that was active last comes first.

    Raises:
        NotFoundError: There is no history in the directory.
    """
    with open_history(root) as history:
        lines = [_line(one) for one in overviews(history)]
    store = StoreLayout(root.absolute())
    return tuple(
        line.model_copy(update={"state": "lost"})
        # A killed driver records no end: the journal says running for ever, and only the lock that died with it tells.
        if line.state == "running" and study_holder(store, line.study) is None
        else line
        for line in lines
    )


def _line(one: Overview) -> StudyLine:
    spec = one.spec
    return StudyLine(
        study=one.study,
        state=one.state,
        trials=one.trials,
        completed=one.completed,
        failed=one.failed,
        changed_at=one.changed_at,
        tags=one.tags or {},
        metric=spec.goals[0].metric,
        goal=spec.goals[0].goal,
        best=one.best_value,
        best_trial=one.best,
        is_selected=one.is_selected,
        n_front=one.n_front if len(spec.goals) > 1 and one.n_front else None,
        n_objectives=len(spec.goals),
    )


def study_named(history: HistoryFile, study: str | None) -> str:
    """The name itself, or that of the study that was active last where it is None.

    Raises:
        NotFoundError: There is no such study, or none at all.
    """
    names = study_names(history)
    if study is None:
        if not names:
            raise NotFoundError("The history holds no study yet. Run one with `pegbox run study.yaml`.")
        return names[0]
    if study not in names:
        raise NotFoundError(f"The history holds no study {study!r}. {suggest(study, names)}")
    return study
