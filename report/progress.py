"""How far a search has come, by its own limits and by its best trial; knows nothing of runs or workers."""

from collections.abc import Sequence
from typing import Literal

from pydantic import FiniteFloat

from pegbox.schemas.base import Configuration, Schema
from pegbox.schemas.history import History
from pegbox.schemas.plan import Objective
from pegbox.schemas.trial import Trial


class BudgetUse(Schema):
    """How much of one limit is used; time in seconds."""

    limit: Literal["trials", "epochs", "time", "cost", "stagnation"]
    used: FiniteFloat
    total: FiniteFloat

    @property
    def share(self) -> float:
        """Between 0 and 1."""
        return min(1.0, self.used / self.total)


class Incumbent(Schema):
    """The best trial by what the search has seen; optimistic, because it was picked by its value."""

    trial: int
    value: FiniteFloat
    budget: int
    configuration: Configuration


def incumbent(history: History) -> Incumbent | None:
    """The completed trial with the best value; None where none has one."""
    ranked = _ranked(history.completed, history.objectives[0])
    if not ranked:
        return None
    value, trial = ranked[0]
    return Incumbent(trial=trial.number, value=value, budget=trial.budget, configuration=trial.configuration)


def _ranked(trials: Sequence[Trial], objective: Objective) -> list[tuple[float, Trial]]:
    """Values with their trials, best first; of equals the earlier trial."""
    valued = [(trial.value(objective.metric), trial) for trial in trials]
    known = [(value, trial) for value, trial in valued if value is not None]
    return sorted(known, key=lambda pair: (objective.loss(pair[0]), pair[1].number))


def budget_use(history: History) -> tuple[BudgetUse, ...]:
    """How much of each limit is used, the one nearest to its end first."""
    limits = history.spec.budget
    used = {
        "trials": (len(history.trials) - len(history.active), limits.trials),
        "epochs": (sum(trial.budget for trial in history.trials), limits.epochs),
        "time": (history.elapsed_seconds, limits.time),
        "cost": (sum(trial.value("cost") or 0.0 for trial in history.trials), limits.cost),
        "stagnation": (_stagnation(history), limits.stagnation),
    }
    uses = [
        BudgetUse.model_validate({"limit": limit, "used": amount, "total": total})
        for limit, (amount, total) in used.items()
        if total is not None
    ]
    return tuple(sorted(uses, key=lambda use: -use.share))


def _stagnation(history: History) -> int:
    """Completed trials since the best one."""
    best = incumbent(history)
    return sum(trial.number > best.trial for trial in history.completed) if best else 0
