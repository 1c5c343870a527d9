"""When a search ends, decided from its history alone; the running time is what the driver wrote into it."""

from pegbox.schemas.competition import excluded_by
from pegbox.schemas.decision import Continue, Fork, Start
from pegbox.schemas.history import History
from pegbox.schemas.trial import Trial, TrialState
from pegbox.schemas.whole_time import kept_seconds
from pegbox.search.objectives import last_improvement


def barrier(history: History) -> str | None:
    """Why no further trial may begin, in one sentence; trials that began may still go on."""
    limit = history.spec.budget.trials
    if limit is not None and len(history.trials) >= limit:
        return (
            f"All {limit} trials of the budget have been tried."
            if limit > 1
            else "The one trial of the budget was tried."
        )
    return None


def end(history: History) -> str | None:
    """Why the search is over, in one sentence; None while it goes on."""
    # A fixed order, since the reason is journalled: a replay must name the same one where two hold at once.
    for rule in (_time, _whole, _target, _cost, _stagnation, _failures):
        reason = rule(history)
        if reason is not None:
            return reason
    return None


def overdraw(history: History, step: Start | Continue | Fork) -> str | None:
    """Why a step does not fit into what is left of the epochs, in one sentence; None where it fits."""
    limit = history.spec.budget.epochs
    if limit is None:
        return None
    from_budget = _from_budget(history, step)
    left = limit - sum(committed(trial) for trial in history.trials)
    cost = step.to_budget - from_budget
    return None if cost <= left else f"The next step needs {cost} epochs, and {left} of the {limit} are left."


def _from_budget(history: History, step: Start | Continue | Fork) -> int:
    if isinstance(step, Fork):
        return step.from_budget
    return 0 if isinstance(step, Start) else history.trials[step.trial].budget


def committed(trial: Trial) -> int:
    """Epochs that a trial has taken, or will have; a failed one counts as far as it was meant to go.

    What a forked one inherited was taken by its ancestors.
    """
    # By what is meant for running trials too, or several workers would each spend what is left.
    is_over = trial.state in {TrialState.PAUSED, TrialState.COMPLETED, TrialState.STOPPED}
    return (trial.budget if is_over else trial.to_budget) - trial.inherited


def _time(history: History) -> str | None:
    limit = history.spec.budget.time
    if limit is not None and history.elapsed_seconds >= limit:
        return f"The {limit:g} seconds of the budget have passed."
    return None


def _whole(history: History) -> str | None:
    limit = history.spec.budget.whole
    if limit is None or not history.competing or history.elapsed_seconds + kept_seconds(history) < limit:
        return None
    return f"Of the {limit:g} seconds of the whole the rest is kept for the finalists and the model."


def _target(history: History) -> str | None:
    goals = [goal for goal in history.objectives if goal.target is not None]
    if not goals:
        return None
    for trial in history.completed:
        values = [trial.value(goal.metric) for goal in goals]
        reached = [
            value is not None and goal.loss(value) <= goal.loss(goal.target)
            for goal, value in zip(goals, values, strict=True)
            if goal.target is not None
        ]
        if all(reached) and excluded_by(history.spec, trial) is None:
            what = ", ".join(f"{goal.metric} = {value:g}" for goal, value in zip(goals, values, strict=True))
            return f"Trial {trial.number} reached the target with {what}."
    return None


def _cost(history: History) -> str | None:
    limit = history.spec.budget.cost
    if limit is None:
        return None
    cost = sum(trial.value("cost") or 0.0 for trial in history.trials)
    return f"The cost of {limit:g} has been spent." if cost >= limit else None


def _stagnation(history: History) -> str | None:
    limit = history.spec.budget.stagnation
    if limit is None or len(history.completed) <= limit:
        return None
    since = len(history.completed) - 1 - last_improvement(history)
    return f"No better value came in {limit} completed trials." if since >= limit else None


def _failures(history: History) -> str | None:
    limit = history.spec.budget.failures
    if limit is None:
        return None
    # The first, not any in a row: a search that once succeeded may enter a failing region, and learns from it.
    first = history.trials[:limit]
    if len(first) == limit and all(trial.state is TrialState.FAILED for trial in first):
        return f"The first {limit} trials all failed."
    return None
