"""What going on with a study would change of the one that the store holds under its name; changes nothing."""

from pathlib import Path
from typing import NamedTuple

from pegbox.schemas.code import USER_KINDS
from pegbox.schemas.errors import NotFoundError, Problem, StudyMismatchError
from pegbox.schemas.history import History
from pegbox.schemas.spec_changes import spec_changes
from pegbox.schemas.study import StudySpec
from pegbox.schemas.word_lists import listed
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.layout import StoreLayout
from pegbox.storage.same_study import changes, has_no_values
from pegbox.training.kinds.registry import code_of

# Picked by hand: what changed is to be seen above the live view that follows it.
MOST_TOLD = 6
"""Entries that differ, of which each is a line."""


class Comparison(NamedTuple):
    """A study file beside the study of its name.

    Attributes:
        told: In a line or more what is there, and what would change of it.
        problems: Why the study cannot go on as the file has it.
    """

    told: tuple[str, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def has_changes(self) -> bool:
        """True where going on would change something."""
        return len(self.told) > 1


def compare_with_store(root: Path, spec: StudySpec) -> Comparison:
    """Compare a study, its preset drawn, with the published history of the store.

    Raises:
        StoreCorruptError: The snapshot is damaged.
    """
    try:
        with HistoryFile(StoreLayout(root.absolute())) as file:
            history = file.history(spec.name)
    except NotFoundError:
        return Comparison((f"no study of this name in {root}",))
    try:
        changes(history, spec)
    except StudyMismatchError as error:
        return Comparison((_standing(history),), error.problems)
    differing = [str(change) for change in spec_changes(history.spec, spec)]
    more = [f"and {len(differing) - MOST_TOLD} more"] if len(differing) > MOST_TOLD else []
    told = (
        _standing(history),
        *differing[:MOST_TOLD],
        *more,
        *_consequence(history, spec),
        *_other_code(history, spec),
    )
    return Comparison(told)


def _standing(history: History) -> str:
    n_trials, n_completed, n_failed = len(history.trials), len(history.completed), len(history.failed)
    failed = f", {n_failed} failed" if n_failed else ""
    return f"goes on: {n_trials} trial{'' if n_trials == 1 else 's'} so far, {n_completed} completed{failed}"


def _other_code(history: History, now: StudySpec) -> list[str]:
    """What of the code is otherwise since the last run; what pegbox itself trains with is told by its version."""
    if history.code is None or has_no_values(history):
        return []
    differing = history.code.only(USER_KINDS).differences(code_of(now).only(USER_KINDS))
    if not differing:
        return []
    told, n_done = listed(differing, MOST_TOLD, "; "), len(history.completed)
    return [
        f"the code is another than in its last run: {told}. {n_done} trial{'s' * (n_done != 1)} trained with the old "
        "code count beside those to come; where that is not meant, give the study another name"
    ]


def _consequence(history: History, now: StudySpec) -> list[str]:
    """What becomes of the trials where the space is another."""
    if now.space == history.spec.space or has_no_values(history):
        return []
    n_left = sum(not now.space.contains(trial.configuration) for trial in history.trials)
    return [f"{n_left} of {len(history.trials)} trials lie outside the space and no longer compete"] if n_left else []
