"""Objectives of a history as losses: non-dominated sorting, crowding distance, constrained ranking; all made small."""

import numpy as np
import numpy.typing as npt

from pegbox.schemas.base import Metrics
from pegbox.schemas.competition import excluded_by
from pegbox.schemas.history import History
from pegbox.schemas.plan import Constraint, Objective
from pegbox.schemas.trial import Trial
from pegbox.search.space.axes import Array


def losses_of(trial: Trial, objectives: tuple[Objective, ...], budget: int | None = None) -> tuple[float, ...] | None:
    """One loss an objective, at a budget or the latest evaluation; None where one of them was not measured."""
    losses = []
    for objective in objectives:
        value = trial.value(objective.metric, budget)
        if value is None:
            return None
        losses.append(objective.loss(value))
    return tuple(losses)


def loss_table(trials: tuple[Trial, ...], objectives: tuple[Objective, ...]) -> Array:
    """Latest losses of trials, shape (n_trials, n_objectives); a row of NaN where one was not measured."""
    missing = (np.nan,) * len(objectives)
    return np.array([losses_of(trial, objectives) or missing for trial in trials]).reshape(-1, len(objectives))


def fronts(losses: Array) -> npt.NDArray[np.int64]:
    """The front of each row: 0 where no other row dominates it, 1 where only rows of front 0 do, ...; NaN comes last.

    Args:
        losses: Shape (n, n_objectives).

    Returns:
        Shape (n,).

    Source: Deb et al. 2002, fast non-dominated sort.

    >>> fronts(np.array([[1.0, 2.0], [2.0, 1.0], [2.0, 2.0], [np.nan, 0.0]])).tolist()
    [0, 0, 1, 2]
    """
    # NaN compares as false with everything and would stand undominated on the first front.
    losses = np.where(np.isnan(losses).any(axis=1, keepdims=True), np.inf, losses)
    # Of one objective fronts are ranks: the table of all pairs below takes the square of the trials.
    if losses.shape[1] == 1:
        return np.unique(losses[:, 0], return_inverse=True)[1].astype(np.int64)
    no_worse = (losses[:, None] <= losses[None]).all(axis=2)
    dominates = no_worse & (losses[:, None] < losses[None]).any(axis=2)
    front = np.full(len(losses), -1)
    left = np.ones(len(losses), dtype=bool)
    number = 0
    while left.any():
        best = left & ~(dominates & left[:, None]).any(axis=0)
        front[best] = number
        left &= ~best
        number += 1
    return front.astype(np.int64)


def crowding(losses: Array) -> Array:
    """How much room each row has on its front, shape (n,); infinite at the ends.

    Source: Deb et al. 2002, crowding distance.
    """
    room = np.zeros(len(losses))
    for column in losses.T:
        order = np.argsort(column, kind="stable")
        span = column[order[-1]] - column[order[0]]
        room[order[[0, -1]]] = np.inf
        if len(order) > 2 and np.isfinite(span) and span > 0:
            room[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / span
    return room


def ranking(losses: Array, broken: Array | None = None) -> npt.NDArray[np.int64]:
    """Row numbers, best first: by front, then by room on the front, then by number.

    Args:
        losses: Shape (n, n_objectives).
        broken: How far each row breaks the constraints, 0 where it keeps them, shape (n,); rows that break any come
            last, those that break the least first.

    Source: Deb et al. 2002, constrained domination, where constraints are given.

    >>> ranking(np.array([[3.0], [1.0], [np.nan], [2.0]])).tolist()
    [1, 3, 0, 2]
    """
    front = fronts(losses)
    room = np.zeros(len(losses))
    if losses.shape[1] > 1:
        for number in np.unique(front):
            room[front == number] = crowding(losses[front == number])
    # lexsort's last key counts most: constraints, then fronts, then room, then the number, so that no tie is open.
    broken = np.zeros(len(losses)) if broken is None else broken
    return np.lexsort((np.arange(len(losses)), -room, front, broken)).astype(np.int64)


def known_violations(metrics: Metrics, constraints: tuple[Constraint, ...]) -> list[float]:
    """How far metrics lie outside each constraint; 0 where one was not measured, which schedules hold against nobody:
    what is told at the end of a training alone is not known at a rung."""
    return [limit.violation(metrics[limit.metric]) if limit.metric in metrics else 0.0 for limit in constraints]


def places(losses: Array, broken: Array) -> npt.NDArray[np.int64]:
    """Where each row stands, 0 for the best, shape (n,): by constraints that are broken first, then by front.

    Args:
        losses: Shape (n, n_objectives).
        broken: How far each row breaks the constraints, 0 where it keeps them, shape (n,).

    >>> places(np.array([[3.0], [1.0], [1.0]]), np.array([0.0, 0.0, 0.5])).tolist()
    [1, 0, 2]
    """
    stands = np.column_stack([broken, fronts(losses)])
    return np.unique(stands, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def total_violation(violations: Array) -> Array:
    """How far rows break their constraints together, 0 where they keep all, shape (n,); infinite where not measured.

    Args:
        violations: Shape (n, n_constraints); each constraint counts in units of its median violation.

    >>> total_violation(np.array([[-1.0, 2.0], [3.0, 6.0], [-1.0, -5.0]])).tolist()
    [0.5, 2.5, 0.0]
    """
    outside = np.maximum(violations, 0.0)
    total = np.zeros(len(outside))
    for column in outside.T:
        some = column[column > 0]
        total += np.where(np.isnan(column), np.inf, column / (np.median(some) if len(some) else 1.0))
    return total


def last_improvement(history: History) -> int:
    """Position among the completed trials of the last one that was better than, or not dominated by, all before it.

    Trials that do not compete are no improvement. -1 where there is none.
    """
    best: list[tuple[float, ...]] = []
    position = -1
    for number, trial in enumerate(history.completed):
        losses = losses_of(trial, history.objectives)
        if losses is None or any(_covers(other, losses) for other in best):
            continue
        if excluded_by(history.spec, trial) is not None:
            continue
        best = [other for other in best if not _covers(losses, other)] + [losses]
        position = number
    return position


def _covers(left: tuple[float, ...], right: tuple[float, ...]) -> bool:
    return all(one <= other for one, other in zip(left, right, strict=True))
