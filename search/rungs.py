"""The rungs of a study and what stands on them; which trial climbs is a schedule's choice."""

from pegbox.schemas.decision import Done, Wait
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Trial, TrialState


def rungs_of(spec: StudySpec) -> tuple[int, ...]:
    """The budgets at which trials are compared: min, min x factor, ..., and the full budget.

    A rung less than a quarter of a step below the full budget is left out: it would cost nearly as much.

    >>> # min 3, factor 3, max 27
    """
    fidelity, full = spec.fidelity, spec.full_budget
    rungs = []
    rung = min(fidelity.min, full)
    while rung * fidelity.factor**0.25 < full:
        rungs.append(rung)
        rung *= fidelity.factor
    return (*rungs, full)


def next_paused(history: History) -> Trial | None:
    """The paused trial of the lowest number."""
    return next((trial for trial in history.active if trial.state is TrialState.PAUSED), None)


def idle(history: History) -> Wait | Done:
    """What is left where no trial can begin or go on."""
    return Wait() if history.running else Done(reason="No trial is left to train further.")
