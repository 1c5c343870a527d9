"""Changes a study before it goes on: settings, or another attempt for what failed; runs nothing, needs no Prefect."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from pegbox.report.check import check_study
from pegbox.schemas.errors import NotFoundError, StudyError
from pegbox.schemas.events import Event, StudyOpened, TrialRetried
from pegbox.schemas.history import History
from pegbox.schemas.overrides import SOURCE, override
from pegbox.schemas.study import StudySpec
from pegbox.storage.amending import amend_study
from pegbox.storage.history_file import open_history
from pegbox.storage.layout import StoreLayout
from pegbox.storage.study_log import check_same_study


class Amended(NamedTuple):
    """A study that is ready to go on."""

    spec: StudySpec
    retried: tuple[int, ...] = ()
    """Trials that get a further attempt."""


def respecify(root: Path, study: str, settings: Sequence[str]) -> Amended:
    """Take a study from its history, with some of its settings replaced.

    The space may be widened or narrowed; trials that it does not hold any more stay recorded and no longer compete.

    Raises:
        NotFoundError: The store holds no such study.
        StudyError: A setting cannot be read, or the study cannot run with it.
        StudyMismatchError: A setting would make the earlier trials incomparable.
        StoreBusyError: The study is running.
    """
    _require(root, study)
    after = amend_study(StoreLayout(root.absolute()), study, lambda history: _reopened(history, settings))
    return Amended(after.spec)


def retry_failed(root: Path, study: str, settings: Sequence[str], numbers: Collection[int]) -> Amended:
    """Give failed trials a further attempt: all of them, or those that are named.

    Raises:
        NotFoundError: The store holds no such study, or a trial that is named did not fail.
        StudyError: A setting cannot be read, or the study cannot run with it.
        StoreBusyError: The study is running.
    """
    _require(root, study)
    retried: list[int] = []

    def change(history: History) -> list[Event]:
        events = [
            TrialRetried(study=study, trial=trial.number, attempt=trial.attempt + 1)
            for trial in history.failed
            if not numbers or trial.number in numbers
        ]
        retried.extend(event.trial for event in events)
        if missing := sorted(set(numbers) - set(retried)):
            failed = ", ".join(str(trial.number) for trial in history.failed) or "none"
            raise NotFoundError(f"Trial {missing[0]} of study {study!r} has not failed. Failed: {failed}.")
        return [*_reopened(history, settings), *events]

    after = amend_study(StoreLayout(root.absolute()), study, change)
    return Amended(after.spec, tuple(retried))


def _require(root: Path, study: str) -> None:
    """Say in the history's own words what is not there, before a lock file is made."""
    with open_history(root) as file:
        file.history(study)


def _reopened(history: History, settings: Sequence[str]) -> list[Event]:
    spec = override(history.spec, settings)
    if spec == history.spec:
        return []
    check_same_study(history.spec, spec, may_change=("space",))
    if problems := check_study(spec):
        raise StudyError(problems, SOURCE)
    return [StudyOpened(study=spec.name, spec=spec)]
