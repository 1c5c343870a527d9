"""Prefect events about a study, for automations and for whoever listens; nothing here waits for an answer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from prefect.events import emit_event

from pegbox.schemas.competition import excluded_by
from pegbox.schemas.errors import StudyInterruptedError
from pegbox.schemas.events import ScheduleStep
from pegbox.schemas.history import History
from pegbox.schemas.plan import Objective
from pegbox.schemas.selection import Selection
from pegbox.schemas.trial import Evaluation, Trial, TrialState

TRIAL_COMPLETED = "pegbox.trial.completed"
STUDY_IMPROVED = "pegbox.study.improved"
STUDY_COMPLETED = "pegbox.study.completed"
STUDY_FAILED = "pegbox.study.failed"
SCHEDULE = "pegbox.schedule"
"""Of a scheduled study; the step's name follows, as in `pegbox.schedule.promoted`."""


def announce(before: History, after: History, number: int, evaluation: Evaluation) -> None:
    """Emit what an evaluation means: the trial is completed, and perhaps the best so far.

    Args:
        before: The history without the evaluation.
        after: The history with it.
        number: Of the trial.
        evaluation: What was measured; a fold or a replicate is no news.
    """
    trial = after.trials[number]
    if evaluation.fold is not None or evaluation.replicate is not None or trial.state is not TrialState.COMPLETED:
        return
    payload = {"trial": number, "configuration": dict(trial.configuration), "metrics": evaluation.metrics}
    _emit(TRIAL_COMPLETED, after.spec.name, payload)
    if is_improvement(before, trial):
        _emit(STUDY_IMPROVED, after.spec.name, payload)


@contextmanager
def announced_end(study: str) -> Iterator[Callable[[Selection], None]]:
    """Emit how a run of a study ends: completed with the selection that is handed over, or failed.

    A run that was interrupted has not ended its study, and is no news.
    """
    selections: list[Selection] = []
    try:
        yield selections.append
    except (StudyInterruptedError, KeyboardInterrupt):
        raise
    except Exception as error:
        _emit(STUDY_FAILED, study, {"error": f"{type(error).__name__}: {error}"[:1000]})
        raise
    for selection in selections:
        payload = {"trial": selection.winner, "configuration": dict(selection.configuration)}
        _emit(STUDY_COMPLETED, study, {**payload, "reason": selection.reason})


def announce_step(step: ScheduleStep) -> None:
    """Emit what a scheduled study came to."""
    incumbent = step.incumbent.model_dump(mode="json") if step.incumbent else None
    _emit(f"{SCHEDULE}.{step.step}", step.study, {"reason": step.reason, "incumbent": incumbent})


def _emit(event: str, study: str, payload: dict[str, Any]) -> None:
    resource = {
        "prefect.resource.id": f"pegbox.study.{study}",
        "prefect.resource.name": study,
        "prefect.resource.role": "pegbox-study",
    }
    emit_event(event=event, resource=resource, payload=payload)


def is_improvement(before: History, trial: Trial) -> bool:
    """True if a trial competes and beats all that competed before it, in one objective or the other."""
    if excluded_by(before.spec, trial) is not None:
        return False
    return any(_beats_all(before, trial, objective) for objective in before.objectives)


def _beats_all(before: History, trial: Trial, objective: Objective) -> bool:
    bar = objective.loss(trial.value(objective.metric) or 0.0)
    # Values first: whether a trial competes takes longer to say, and few are as good.
    rivals = (
        other
        for other in before.completed
        if (value := other.value(objective.metric)) is not None and objective.loss(value) <= bar
    )
    return all(excluded_by(before.spec, other) is not None for other in rivals)
