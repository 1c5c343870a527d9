"""Puts trials in order by what the search measured of them; knows nothing of fresh seeds."""

from pegbox.schemas.errors import NoTrialSucceededError
from pegbox.schemas.history import History
from pegbox.schemas.plan import Objective
from pegbox.schemas.trial import Trial


def comparable(history: History, objective: Objective) -> tuple[Trial, ...]:
    """The trials whose values may be compared with each other, by number.

    These are the completed ones. Where none is (a study that ran out of time at its lower rungs), they are those that
    were trained furthest.
    """
    completed = tuple(trial for trial in history.completed if trial.value(objective.metric) is not None)
    if completed:
        return completed
    measured = [trial for trial in history.trials if trial.value(objective.metric) is not None]
    furthest = max((trial.budget for trial in measured), default=0)
    return tuple(trial for trial in measured if trial.budget == furthest)


def observed_loss(trial: Trial, objective: Objective) -> float:
    """What the search saw of a comparable trial, as something to be made small.

    Raises:
        ValueError: The trial has no value of the metric.
    """
    value = trial.value(objective.metric)
    if value is None:
        raise ValueError(f"trial {trial.number} has no {objective.metric}, and cannot be ranked by it.")
    return objective.loss(value)


def ranked(history: History, objective: Objective) -> tuple[Trial, ...]:
    """Comparable trials, best observed value first; equal values by number.

    Raises:
        NoTrialSucceededError: No trial has a value.
    """
    trials = comparable(history, objective)
    if not trials:
        raise NoTrialSucceededError(
            f"Study {history.spec.name!r} needs one trial with a value of {objective.metric!r}, got none of "
            f"{len(history.trials)} trials ({len(history.failed)} failed). See the failures for the cause."
        )
    return tuple(sorted(trials, key=lambda trial: (observed_loss(trial, objective), trial.number)))
