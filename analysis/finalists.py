"""Chooses the trials that are trained again on fresh seeds; the winner among them is chosen in `selection`."""

import numpy as np

from pegbox.analysis.columns import tabulate
from pegbox.analysis.ranking import comparable, observed_loss, ranked
from pegbox.analysis.surrogate import fit_surrogate
from pegbox.schemas.errors import StudyError
from pegbox.schemas.history import History
from pegbox.schemas.plan import Objective
from pegbox.schemas.trial import Trial

MIN_TRIALS_TO_SMOOTH = 8
"""With fewer trials a surrogate knows no better than the values themselves."""


def choose_finalists(history: History) -> tuple[Trial, ...]:
    """The best few distinct configurations, best first, and the one to beat where the study enqueues one.

    The best observed value of a search is half luck, so that trials are ranked by the posterior mean of a surrogate
    fitted to all of them; the trial with the best observed value takes the last place if it has no other. Depends on
    what the search measured, not on replicates: a resumed study chooses the same trials again.

    Raises:
        NoTrialSucceededError: No trial has a value.
        StudyError: The study has several objectives.
    """
    objective = single_objective(history)
    observed = ranked(history, objective)
    top = history.spec.finalists.top
    chosen = _distinct(_by_belief(history, observed, objective), top)
    if top > 1 and not _holds(chosen, observed[0]):
        chosen = [*chosen[: top - 1], observed[0]]
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


def _by_belief(history: History, observed: tuple[Trial, ...], objective: Objective) -> tuple[Trial, ...]:
    table = tabulate(history.space, observed)
    if len(observed) < MIN_TRIALS_TO_SMOOTH or not table.columns:
        return observed
    losses = np.array([observed_loss(trial, objective) for trial in observed])
    belief, _ = fit_surrogate(table, losses).predict(table.units)
    return tuple(observed[position] for position in np.argsort(belief, kind="stable"))


def _distinct(trials: tuple[Trial, ...], count: int) -> list[Trial]:
    chosen: list[Trial] = []
    for trial in trials:
        if len(chosen) == count:
            break
        if not _holds(chosen, trial):
            chosen.append(trial)
    return chosen


def _holds(chosen: list[Trial], trial: Trial) -> bool:
    return any(dict(trial.configuration) == dict(other.configuration) for other in chosen)
