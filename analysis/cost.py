"""Pareto front of quality and cost: which trials are the best for what they take to train."""

from pydantic import FiniteFloat

from pegbox.analysis.feasibility import feasible
from pegbox.analysis.ranking import comparable, observed_loss
from pegbox.schemas.base import Schema
from pegbox.schemas.history import History


class CostPoint(Schema):
    """A trial that no other beats at less cost."""

    trial: int
    value: FiniteFloat
    """Of the objective, as the search saw it."""
    seconds: float
    """Of training, to the budget where it was measured."""


def cost_front(history: History, objective: int = 0) -> tuple[CostPoint, ...]:
    """Of the trials that keep the constraints, those that are faster or better than each other one, fastest first.

    The last is the best observed.
    """
    goal = history.objectives[objective]
    # Sorted by cost, one pass finds the front: a trial is on it if it beats the best of all that are cheaper.
    trials = sorted(
        feasible(history, comparable(history, goal)),
        key=lambda trial: (trial.evaluations[-1].seconds, observed_loss(trial, goal), trial.number),
    )
    front: list[CostPoint] = []
    best = float("inf")
    for trial in trials:
        loss = observed_loss(trial, goal)
        if loss < best:
            best = loss
            front.append(CostPoint(trial=trial.number, value=goal.loss(loss), seconds=trial.evaluations[-1].seconds))
    return tuple(front)
