"""What to do next: the one list of advice of a study, of which each command was tried out; finds nothing by itself.

The analysis says what the trials speak for. Here it is tried out, on the study's own strategy, whether following the
advice would change anything, and it is fitted to how the study stands when somebody reads it.
"""

import shlex
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from pegbox.analysis.advice import Advice
from pegbox.analysis.elimination import next_replicates
from pegbox.report.check_study import check_study
from pegbox.report.status import StudyStatus
from pegbox.schemas.decision import Done
from pegbox.schemas.errors import NoTrialSucceededError, PegboxError
from pegbox.schemas.history import History
from pegbox.schemas.overrides import override
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState
from pegbox.search.narrowed_space import study_strategy
from pegbox.storage.same_study import changes

BROKEN_OFF = {"interrupted", "lost", "failed"}


class _Asked(NamedTuple):
    """A command that trains, as it would be parsed."""

    verb: str
    settings: tuple[str, ...]
    new_name: str | None


def tried_out(history: History, advice: Sequence[Advice]) -> tuple[Advice, ...]:
    """The same advice, without the commands that would change nothing or be refused.

    Args:
        history: Of all trials of the study, also of those that a narrowed space left outside.
        advice: What the analysis found.
    """
    return tuple(one if _is_acting(history, one.command) else one.model_copy(update={"command": ""}) for one in advice)


def next_steps(status: StudyStatus, found: Sequence[Advice], studies: Collection[str] = ()) -> tuple[Advice, ...]:
    """What to do as the study stands now.

    Args:
        status: How it stands.
        found: What was found in its trials and tried out.
        studies: Names in the store; a study that a command begins is given another one.
    """
    plain = () if _is_live(status) else _to_go_on(status, found)
    fitted = (one.model_copy(update={"command": _fitted(one.command, status, studies)}) for one in found)
    return (*plain, *fitted)


def _is_live(status: StudyStatus) -> bool:
    """True while a process drives the study, so that no other may."""
    return status.run is not None and status.run.status == "running"


def _to_go_on(status: StudyStatus, found: Sequence[Advice]) -> tuple[Advice, ...]:
    """What a run that was broken off or that only failed calls for."""
    name, is_answered = shlex.quote(status.study), status.best is not None and status.best.is_selected
    if status.incumbent is None and status.failures:
        if any(one.kind == "failures" and _parsed(one.command) for one in found):
            return ()
        what = "Mend the cause of the failures, then give the trials another attempt."
        example = f"Trial {status.failure.trial}: {status.failure.message}" if status.failure else ""
        return (Advice(kind="retry", what=what, evidence=example, command=f"pegbox retry {name}"),)
    if status.phase not in BROKEN_OFF:
        return ()
    if status.search_end is None:
        what = "Go on with the search."
    elif status.incumbent is not None and not is_answered:
        what = "Go on with the fresh seeds of the finalists."
    else:
        return ()
    return (Advice(kind="resume", what=what, evidence="The last run did not end.", command=f"pegbox resume {name}"),)


def _fitted(command: str, status: StudyStatus, studies: Collection[str]) -> str:
    """The command as it can be run now; empty where it cannot."""
    asked, is_live = _parsed(command), _is_live(status)
    if asked is None:  # nobody is there to be stopped where the study does not run
        return command if is_live else command.replace("pegbox stop ", "pegbox best ", 1)
    if asked.new_name is None:
        return "" if is_live else command
    names = (asked.new_name, *(f"{asked.new_name}-{n}" for n in range(2, len(studies) + 3)))
    free = next(name for name in names if name not in studies)
    return command.replace(f" --as {shlex.quote(asked.new_name)}", f" --as {shlex.quote(free)}", 1)


def _is_acting(history: History, command: str) -> bool:
    asked = _parsed(command)
    if asked is None:
        return True
    try:
        return not history.spec.is_imported and _acts(history, asked)
    except PegboxError:  # a setting that this study cannot have, a method that is not installed here
        return False


def _acts(history: History, asked: _Asked) -> bool:
    """True if a trial or a fresh seed would be trained for it.

    Raises:
        PegboxError: The study cannot be as the command wants it.
    """
    spec = override(history.spec, asked.settings)
    if set(check_study(spec)) - set(check_study(history.spec)):  # what is wrong already is not the advice's fault
        return False
    if asked.new_name is not None:
        return True
    after = history.after(*changes(history, spec, may_change=("space",)))
    if asked.verb == "retry":
        return any(trial.state is TrialState.FAILED or trial.failed_replicates for trial in after.trials)
    return _has_replicates_left(after) or not _is_done(after, spec)


def _has_replicates_left(history: History) -> bool:
    try:
        return bool(next_replicates(history.within_space()))
    except NoTrialSucceededError:
        return False


def _is_done(history: History, spec: StudySpec) -> bool:
    rng = np.random.default_rng([spec.search_seed, history.n_decisions])
    return isinstance(study_strategy(spec).next(history, rng), Done)


def _parsed(command: str) -> _Asked | None:
    """What a command asks for; None for one that trains nothing."""
    words = shlex.split(command)
    if words[:1] != ["pegbox"] or words[1:2] not in (["resume"], ["retry"]):
        return None
    found: dict[str, list[str]] = {"--as": [], "--set": []}
    for option, value in zip(words[3::2], words[4::2], strict=True):
        found[option].append(value)
    return _Asked(words[1], tuple(found["--set"]), found["--as"][0] if found["--as"] else None)
