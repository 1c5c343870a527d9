"""What may change of a study between two runs, and what such a change means for its trials; writes nothing."""

import shlex
from collections.abc import Sequence

from pegbox.schemas.errors import Problem, StudyMismatchError
from pegbox.schemas.events import Event, RunStarted, StudyOpened, TrialReopened, TrialRetried
from pegbox.schemas.history import History
from pegbox.schemas.spec_changes import Change, spec_changes
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Trial, TrialState
from pegbox.schemas.trials_by_state import CompletedTrials, FailedTrials
from pegbox.schemas.word_lists import listed

# Picked by hand: enough to recognise which file is meant, on one line of a terminal.
MOST_TOLD = 4
"""Entries of one part that are told."""


def changes(before: History, now: StudySpec, may_change: tuple[str, ...] = ()) -> list[Event]:
    """The events of going on with a study as it is wanted now; none where nothing changed.

    A study in which nothing ever succeeded may change in all: its trials that the space holds are tried again. The
    space of any other may change as long as it holds a trial that is done.

    Args:
        before: As the store has it.
        now: As it is wanted.
        may_change: Parts that differ on purpose.

    Raises:
        StudyMismatchError: Its trials could not be compared with the earlier ones.
    """
    if now == before.spec:
        return []
    opened = StudyOpened(study=now.name, spec=now)
    if has_no_values(before):
        return [opened, *_another_attempt(before.failed, now)]
    holds_some = any(now.space.contains(trial.configuration) for trial in before.completed)
    # The space may change where it holds a trial that is done: values of the same configuration stay comparable
    # whatever else is searched, those of other objectives, data or training do not.
    check_same_study(before.spec, now, ("space", *may_change) if holds_some else may_change)
    check_full_budget(before, now)
    return [opened, *_reopened(before.completed, now)]


def _another_attempt(failed: FailedTrials, now: StudySpec) -> list[TrialRetried]:
    """For each that the space still holds."""
    again = [trial for trial in failed if now.space.contains(trial.configuration)]
    return [TrialRetried(study=now.name, trial=one.number, attempt=one.attempt + 1) for one in again]


def _reopened(completed: CompletedTrials, now: StudySpec) -> list[TrialReopened]:
    """Those that have further to go under a full budget that was raised."""
    return [TrialReopened(study=now.name, trial=trial.number) for trial in completed if _is_short(trial, now)]


def has_no_values(history: History) -> bool:
    """True if a study has no trial but failed ones, none of which was ever measured: there is nothing to compare."""
    return all(trial.state is TrialState.FAILED and not trial.evaluations for trial in history.trials)


def _is_short(trial: Trial, now: StudySpec) -> bool:
    """True if a trial was completed at a lower budget than others will be; not where patience ended it."""
    # Patience ends below `to_budget`: more epochs would not have helped that trial, and it is not opened again.
    return trial.budget == trial.to_budget < now.full_budget and now.space.contains(trial.configuration)


def check_same_study(before: StudySpec, now: StudySpec, may_change: tuple[str, ...] = ()) -> None:
    """Refuse to go on with a study whose trials could not be compared with the earlier ones.

    Args:
        before: As the store has it.
        now: As it is wanted.
        may_change: Parts that differ on purpose.

    Raises:
        StudyMismatchError: The space, objectives, data or training differ.
    """
    parts = [part for part in ("space", "objective", "objectives", "data", "train") if part not in may_change]
    # What is declared to shape a result is compared by what it is, not by how it is named.
    differing = [
        change
        for change in spec_changes(before, now)
        if change.path[0] in parts and change.path[:2] != ("train", "depends")
    ]
    problems = [
        Problem(
            f"the store holds a study {now.name!r} with another {part}: {_told(differing, part)}. {_ways_on(now)}",
            (part,),
        )
        for part in parts
        if any(change.path[0] == part for change in differing)
    ]
    if problems:
        raise StudyMismatchError(problems)


def _told(changes: Sequence[Change], part: str) -> str:
    """The first few changes of one part."""
    return listed([str(change) for change in changes if change.path[0] == part], MOST_TOLD, "; ")


def _ways_on(study: StudySpec) -> str:
    name = shlex.quote(study.name)
    return f"Go back to the earlier file, give this study another name, or make the name free: `pegbox forget {name}`."


def check_full_budget(before: History, now: StudySpec) -> None:
    """Refuse to compare trials at a budget that some of them are beyond, or that counts something else.

    Raises:
        StudyMismatchError: The full budget was lowered to what trials were trained to, or below, or is one of rows now
            where it was one of epochs.
    """
    if before.trials and now.fidelity.of != before.spec.fidelity.of:
        told = f"{before.spec.fidelity.of!r}, and cannot be compared with others that count {now.fidelity.of!r}"
        raise StudyMismatchError(
            Problem(
                f"trials of study {now.name!r} were compared by {told}. {_ways_on(now)}",
                ("fidelity", "of"),
            )
        )
    if now.full_budget >= before.spec.full_budget:
        return
    reached = max((max(trial.budget, trial.to_budget) for trial in before.trials), default=0)
    if reached >= now.full_budget:
        raise StudyMismatchError(
            Problem(
                f"trials of study {now.name!r} were trained to {reached} already, and cannot be compared with others "
                f"that end at {now.full_budget}. Keep fidelity.max at {before.spec.full_budget} or above, or give the "
                "study another name.",
                ("fidelity", "max"),
            )
        )


def check_same_data(before: History, run: RunStarted) -> None:
    """Refuse to go on with a study whose trials were trained on data that is not there any more.

    Raises:
        StudyMismatchError: The data is declared as before, but its content changed.
    """
    if (
        before.data_fingerprint is None
        or run.data_fingerprint in (None, before.data_fingerprint)
        or has_no_values(before)
    ):
        return
    raise StudyMismatchError(
        Problem(
            f"the data of study {before.spec.name!r} changed since its last run, from {before.data_fingerprint[:8]} to "
            f"{str(run.data_fingerprint)[:8]}, and trials on other data cannot be compared. Give the study another "
            "name, or let `pegbox schedule` look after it: it scores the incumbent on the new data first.",
            ("data",),
        )
    )
