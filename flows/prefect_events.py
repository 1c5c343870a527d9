"""Prefect events about a study, for automations and for whoever listens; nothing here waits for an answer."""

from prefect.events import emit_event

from pegbox.schemas.competition import excluded_by
from pegbox.schemas.history import History
from pegbox.schemas.plan import Objective
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
