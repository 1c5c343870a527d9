"""Prefect events about a study, for automations and for whoever listens; nothing here waits for an answer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from prefect.events import emit_event

from pegbox.schemas.competition import excluded_by
from pegbox.schemas.errors import StudyInterruptedError
from pegbox.schemas.events import ScheduleStep
from pegbox.schemas.history import History
from pegbox.schemas.plan import Objective
from pegbox.schemas.selection import Selection
from pegbox.schemas.trial import Evaluation, Trial

TRIAL_COMPLETED = "pegbox.trial.completed"
STUDY_IMPROVED = "pegbox.study.improved"
STUDY_COMPLETED = "pegbox.study.completed"
STUDY_FAILED = "pegbox.study.failed"
SCHEDULE = "pegbox.schedule"
"""Of a scheduled study; the step's name follows, as in `pegbox.schedule.promoted`."""


class Announced(NamedTuple):
    """The study that events are about; those of one name in two stores are told apart by the store."""

    study: str
    store: Path


def announce_trial(about: Announced, trial: Trial, evaluation: Evaluation, *, is_best: bool) -> None:
    """Emit that a trial is completed, and whether it is the best so far."""
    payload = {"trial": trial.number, "configuration": dict(trial.configuration), "metrics": evaluation.metrics}
    _emit(TRIAL_COMPLETED, about, payload)
    if is_best:
        _emit(STUDY_IMPROVED, about, payload)


@contextmanager
def announced_end(about: Announced) -> Iterator[Callable[[Selection], None]]:
    """Emit how a run of a study ends: completed with the selection that is handed over, or failed.

    A run that was interrupted has not ended its study, and is no news.
    """
    selections: list[Selection] = []
    try:
        yield selections.append
    except (StudyInterruptedError, KeyboardInterrupt):
        raise
    except Exception as error:
        _emit(STUDY_FAILED, about, {"error": _in_words(error)})
        raise
    for selection in selections:
        payload = {"trial": selection.winner, "configuration": dict(selection.configuration)}
        _emit(STUDY_COMPLETED, about, {**payload, "reason": selection.reason})


def announce_step(about: Announced, step: ScheduleStep, model: str | None) -> None:
    """Emit what a scheduled study came to.

    Args:
        about: The scheduled study.
        step: The conclusion.
        model: The name under which `pegbox.load_model` finds the current model; None where there is none.
    """
    incumbent = step.incumbent.model_dump(mode="json") if step.incumbent else None
    _emit(f"{SCHEDULE}.{step.step}", about, {"reason": step.reason, "incumbent": incumbent, "model": model})


@contextmanager
def announced_schedule(about: Announced) -> Iterator[None]:
    """Emit that a scheduled run failed, where it does; one that was interrupted goes on later."""
    try:
        yield
    except (StudyInterruptedError, KeyboardInterrupt):
        raise
    except Exception as error:
        _emit(f"{SCHEDULE}.failed", about, {"error": _in_words(error)})
        raise


def _in_words(error: Exception) -> str:
    # Picked by hand: the first paragraphs of a message say what it is.
    return f"{type(error).__name__}: {error}"[:1000]


def _emit(event: str, about: Announced, payload: dict[str, Any]) -> None:
    store = str(about.store.absolute())
    resource = {
        "prefect.resource.id": f"pegbox.study.{about.study}",
        "prefect.resource.name": about.study,
        "prefect.resource.role": "pegbox-study",
        "pegbox.store": store,
    }
    # In the payload as well: an automation hands it on as parameters of what it starts.
    emit_event(event=event, resource=resource, payload={"study": about.study, "store": store, **payload})


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
