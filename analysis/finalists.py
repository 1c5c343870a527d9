"""Chooses the trials that are trained again on fresh seeds; the winner among them is chosen in `selection`."""

from pegbox.analysis.ranking import comparable, ranked
from pegbox.schemas.errors import StudyError
from pegbox.schemas.history import History
from pegbox.schemas.plan import Objective
from pegbox.schemas.trial import Trial


def choose_finalists(history: History) -> tuple[Trial, ...]:
    """The best few distinct configurations, best first, and the one to beat where the study enqueues one.

    Depends on what the search measured, not on replicates: a resumed study chooses the same trials again.

    Raises:
        NoTrialSucceededError: No trial has a value.
        StudyError: The study has several objectives.
    """
    objective = single_objective(history)
    chosen: list[Trial] = []
    for trial in ranked(history, objective):
        if len(chosen) < history.spec.finalists.top and not _holds(chosen, trial):
            chosen.append(trial)
    baseline = baseline_trial(history)
    if baseline is not None and not _holds(chosen, baseline):
        chosen.append(baseline)
    return tuple(chosen)


def baseline_trial(history: History) -> Trial | None:
    """The trial of the first enqueued configuration, which a winner has to beat; None without one that succeeded."""
    if not history.spec.search.enqueue:
        return None
    wanted = dict(history.spec.search.enqueue[0])
    candidates = comparable(history, history.objectives[0])
    return next((trial for trial in candidates if dict(trial.configuration) == wanted), None)


def single_objective(history: History) -> Objective:
    """The objective of a study that has one.

    Raises:
        StudyError: The study has several objectives.
    """
    if len(history.objectives) > 1:
        names = ", ".join(objective.metric for objective in history.objectives)
        raise StudyError(
            f"selection needs one objective, got {names}: choosing among several is not available yet. Keep one.",
            history.spec.name,
        )
    return history.objectives[0]


def _holds(chosen: list[Trial], trial: Trial) -> bool:
    return any(dict(trial.configuration) == dict(other.configuration) for other in chosen)
