"""What a history says about its objectives, as losses in arrays; every objective is made small here."""

import numpy as np
import numpy.typing as npt

from pegbox.schemas.history import History
from pegbox.schemas.plan import Objective
from pegbox.schemas.trial import Trial
from pegbox.search.axes import Array


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
    losses = np.where(np.isnan(losses).any(axis=1, keepdims=True), np.inf, losses)
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


def ranking(losses: Array) -> npt.NDArray[np.int64]:
    """Row numbers, best first: by front, then by room on the front, then by number.

    >>> ranking(np.array([[3.0], [1.0], [np.nan], [2.0]])).tolist()
    [1, 3, 0, 2]
    """
    front = fronts(losses)
    if losses.shape[1] == 1:
        return np.argsort(front, kind="stable").astype(np.int64)
    room = np.empty(len(losses))
    for number in np.unique(front):
        room[front == number] = crowding(losses[front == number])
    return np.lexsort((np.arange(len(losses)), -room, front)).astype(np.int64)


def last_improvement(history: History) -> int:
    """Position among the completed trials of the last one that was better than, or not dominated by, all before it.

    -1 where none has a value.
    """
    best: list[tuple[float, ...]] = []
    position = -1
    for number, trial in enumerate(history.completed):
        losses = losses_of(trial, history.objectives)
        if losses is None or any(_covers(other, losses) for other in best):
            continue
        best = [other for other in best if not _covers(losses, other)] + [losses]
        position = number
    return position


def _covers(left: tuple[float, ...], right: tuple[float, ...]) -> bool:
    return all(one <= other for one, other in zip(left, right, strict=True))
