"""Prefect events about a study, for automations and for whoever listens; nothing here waits for an answer."""

from prefect.events import emit_event

from pegbox.schemas.history import History
from pegbox.schemas.trial import Evaluation, Trial, TrialState

TRIAL_COMPLETED = "pegbox.trial.completed"
STUDY_IMPROVED = "pegbox.study.improved"


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
    resource = {
        "prefect.resource.id": f"pegbox.study.{after.spec.name}",
        "prefect.resource.name": after.spec.name,
        "prefect.resource.role": "pegbox-study",
    }
    payload = {"trial": number, "configuration": dict(trial.configuration), "metrics": evaluation.metrics}
    emit_event(event=TRIAL_COMPLETED, resource=resource, payload=payload)
    if is_improvement(before, trial):
        emit_event(event=STUDY_IMPROVED, resource=resource, payload=payload)


def is_improvement(before: History, trial: Trial) -> bool:
    """True if a completed trial beats all that were completed before it, in one objective or the other."""
    for objective in before.objectives:
        value = trial.value(objective.metric)
        others = [other.value(objective.metric) for other in before.completed]
        losses = [objective.loss(other) for other in others if other is not None]
        if value is not None and (not losses or objective.loss(value) < min(losses)):
            return True
    return False
