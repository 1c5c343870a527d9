"""Changes a study before it goes on: settings, or another attempt for what failed; runs nothing, needs no Prefect."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from pegbox.schemas.errors import NotFoundError, Problem, StudyError
from pegbox.schemas.events import Event, TrialRetried
from pegbox.schemas.history import History
from pegbox.schemas.overrides import SOURCE, override
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Trial, TrialState
from pegbox.schemas.validation_messages import validation_problems
from pegbox.storage.amending import amend_study
from pegbox.storage.history_file import open_history
from pegbox.storage.layout import StoreLayout
from pegbox.storage.same_study import changes

Check = Callable[[StudySpec], tuple[Problem, ...]]
"""Everything that is wrong with a study, empty where it can run. Given by the caller, who stands above all rooms that
check something: a flow does not ask the answer's room whether it may write its own study."""


class Amended(NamedTuple):
    """A study that is ready to go on."""

    spec: StudySpec
    retried: tuple[int, ...] = ()
    """Trials that get a further attempt."""


def respecify(root: Path, study: str, settings: Sequence[str], check: Check, new_name: str | None = None) -> Amended:
    """Take a study from its history, with some of its settings replaced.

    The space may be widened or narrowed; trials that it does not hold any more stay recorded and no longer compete.

    Args:
        root: The store.
        study: Its name.
        settings: Each a path and a value.
        check: What the study must pass with them.
        new_name: Of another study to begin with these settings, which may then be any; the one that is named stays as
            it is.

    Raises:
        NotFoundError: The store holds no such study.
        StudyError: A setting cannot be read, or the study cannot run with it.
        StudyMismatchError: A setting would make the earlier trials incomparable.
        StoreBusyError: The study is running.
    """
    with open_history(root) as file:  # says in the history's own words what is not there, before a lock file is made
        history = file.history(study)
    if new_name is not None:
        return Amended(_branched(history, settings, check, new_name))
    after = amend_study(StoreLayout(root.absolute()), study, lambda history: _reopened(history, settings, check))
    return Amended(after.spec)


def retry_failed(root: Path, study: str, settings: Sequence[str], check: Check, numbers: Collection[int]) -> Amended:
    """Give failed trials, and failed fresh seeds of finalists, a further attempt: all, or those that are named.

    Raises:
        NotFoundError: The store holds no such study, or a trial that is named did not fail.
        StudyError: A setting cannot be read, or the study cannot run with it.
        StoreBusyError: The study is running.
    """
    with open_history(root) as file:
        file.history(study)
    retried: list[int] = []

    def change(history: History) -> list[Event]:
        failed = [trial for trial in history.trials if trial.state is TrialState.FAILED or trial.failed_replicates]
        chosen = [trial for trial in failed if not numbers or trial.number in numbers]
        retried.extend(trial.number for trial in chosen)
        if missing := sorted(set(numbers) - set(retried)):
            names = ", ".join(str(trial.number) for trial in failed) or "none"
            raise NotFoundError(f"Trial {missing[0]} of study {study!r} has not failed. Failed: {names}.")
        return [*_reopened(history, settings, check), *(event for trial in chosen for event in _retried(study, trial))]

    after = amend_study(StoreLayout(root.absolute()), study, change)
    return Amended(after.spec, tuple(retried))


def _retried(study: str, trial: Trial) -> list[Event]:
    """A further attempt for the trial, or for each fresh seed of a finalist that failed."""
    if trial.state is TrialState.FAILED:
        return [TrialRetried(study=study, trial=trial.number, attempt=trial.attempt + 1)]
    return [
        TrialRetried(study=study, trial=trial.number, attempt=trial.attempt, replicate=replicate)
        for replicate in trial.failed_replicates
    ]


def _branched(history: History, settings: Sequence[str], check: Check, name: str) -> StudySpec:
    raw = override(history.spec, settings).model_dump(mode="json") | {"name": name}
    try:
        spec = StudySpec.model_validate(raw)
    except ValidationError as error:
        raise StudyError(validation_problems(error, raw), "--as") from error
    if problems := check(spec):
        raise StudyError(problems, SOURCE)
    return spec


def _reopened(history: History, settings: Sequence[str], check: Check) -> list[Event]:
    spec = override(history.spec, settings)
    events = changes(history, spec, may_change=("space",))
    if events and (problems := check(spec)):
        raise StudyError(problems, SOURCE)
    return events
