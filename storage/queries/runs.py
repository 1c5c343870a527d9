"""The runs that drove a study, and the study as each of them began with it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from pegbox.schemas.base import Schema
from pegbox.schemas.events import EVENT, RunStarted, StudyOpened
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.asking import ask, ask_column, ask_one


class DrivenRun(Schema):
    """One flow run that drove a study."""

    run: str
    status: Literal["running", "completed", "interrupted", "failed", "lost"]
    """A run that was killed stays `running` until a later one says that it is `lost`."""
    host: str
    pid: int
    started_at: datetime | None
    ended_at: datetime | None
    data_fingerprint: str | None
    git_commit: str | None
    git_dirty: bool | None
    versions: dict[str, str]
    """Package to version."""
    message: str | None
    """Why it failed."""


def last_run(file: HistoryFile, study: str) -> DrivenRun | None:
    """The run that began last; None where none has."""
    return ask_one(file, DrivenRun, _RUNS, study=study, most=1)


def driven_runs(file: HistoryFile, study: str, most: int) -> tuple[DrivenRun, ...]:
    """The last runs, latest first."""
    return ask(file, DrivenRun, _RUNS, study=study, most=most)


def specs_of_runs(file: HistoryFile, study: str) -> Iterator[tuple[str, StudySpec]]:
    """Each run with the study as it was when the run began, oldest first."""
    spec: StudySpec | None = None
    for body in ask_column(file, _OPENINGS, study=study):
        event = EVENT.validate_json(body)
        if isinstance(event, StudyOpened):
            spec = event.spec
        elif isinstance(event, RunStarted) and spec is not None:
            yield event.run, spec


_RUNS = """
SELECT run, status, host, pid, started_at, ended_at, data_fingerprint, git_commit, git_dirty, versions, message
FROM runs WHERE study = $study ORDER BY started_at DESC LIMIT $most
"""

# From events, because the table of studies holds the last specification alone.
_OPENINGS = """
SELECT body FROM events WHERE study = $study AND type IN ('study_opened', 'run_started') ORDER BY version
"""
