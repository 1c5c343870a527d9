"""Puts trials in order by what the search measured of them; knows nothing of fresh seeds."""

from pegbox.analysis.feasibility import feasible, none_feasible
from pegbox.schemas.competition import LARGEST
from pegbox.schemas.errors import NoTrialSucceededError
from pegbox.schemas.history import History
from pegbox.schemas.plan import Objective
from pegbox.schemas.trial import Trial


def comparable(history: History, *objectives: Objective) -> tuple[Trial, ...]:
    """The trials whose values of all these objectives may be compared with each other, by number.

    These are the completed ones. Where none is (a study that ran out of time at its lower rungs), they are those that
    were trained furthest.
    """
    completed = tuple(trial for trial in history.completed if _is_measured(trial, objectives))
    if completed:
        return completed
    measured = [trial for trial in history.trials if _is_measured(trial, objectives)]
    furthest = max((trial.budget for trial in measured), default=0)
    return tuple(trial for trial in measured if trial.budget == furthest)


def _is_measured(trial: Trial, objectives: tuple[Objective, ...]) -> bool:
    return all(trial.value(objective.metric) is not None for objective in objectives)


def observed_loss(trial: Trial, objective: Objective) -> float:
    """What the search saw of a comparable trial, as something to be made small.

    Raises:
        ValueError: The trial has no value of the metric.
    """
    value = trial.value(objective.metric)
    if value is None:
        raise ValueError(f"trial {trial.number} has no {objective.metric}, and cannot be ranked by it.")
    return held(objective.loss(value))


def held(loss: float) -> float:
    """The loss, not beyond `LARGEST`."""
    return max(-LARGEST, min(LARGEST, loss))


def ranked(history: History, objective: Objective) -> tuple[Trial, ...]:
    """Contenders, best observed value of an objective first; equal values by number.

    Raises:
        NoTrialSucceededError: No trial has a value, or none may win.
    """
    return tuple(sorted(contenders(history), key=lambda trial: (_loss(trial, objective), trial.number)))


def _loss(trial: Trial, objective: Objective) -> float:
    """Not held: of two that are beyond `LARGEST` one is still the better one."""
    value = trial.value(objective.metric)
    return LARGEST if value is None else objective.loss(value)


def contenders(history: History) -> tuple[Trial, ...]:
    """The trials that compete, by number; at least one.

    Where no trial is completed (a study that ran out of time at its lower rungs), those that were trained furthest, lie
    in the space and keep every constraint.

    Raises:
        NoTrialSucceededError: No trial has a value of every objective, or none may win.
    """
    if history.competing:
        return history.competing
    trials = comparable(history, *history.objectives)
    if not trials:
        names = ", ".join(repr(objective.metric) for objective in history.objectives)
        raise NoTrialSucceededError(
            f"Study {history.spec.name!r} needs one trial with a value of {names}, got none of "
            f"{len(history.trials)} trials ({len(history.failed)} failed). See the failures for the cause."
        )
    if not (contending := feasible(history, trials)):
        raise NoTrialSucceededError(
            f"{none_feasible(history, trials)} Loosen the constraint, or search longer with a larger budget."
        )
    return contending
