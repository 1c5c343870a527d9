"""What a history tells a model: evaluated points with their budgets and losses, failed points, running points."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pegbox.schemas.history import History
from pegbox.schemas.trial import Trial, TrialState
from pegbox.search.axes import Array
from pegbox.search.encoding import SpaceEncoding
from pegbox.search.memory import TrialMemory


class Observations(NamedTuple):
    """A history as arrays.

    Attributes:
        points: Snapped point of each evaluation, shape (n, n_dims), in order of the trials' numbers.
        budgets: Where it was evaluated, shape (n,).
        losses: Shape (n, n_objectives); finite.
        seconds: Training time from budget 0 to there, shape (n,).
        numbers: Trial of each evaluation, shape (n,).
        failed: Points whose trial failed or has no value, shape (n_failed, n_dims).
        pending: Points of running trials, shape (n_pending, n_dims).
        pending_budgets: Where they will be evaluated, shape (n_pending,).
    """

    points: Array
    budgets: Array
    losses: Array
    seconds: Array
    numbers: npt.NDArray[np.int64]
    failed: Array
    pending: Array
    pending_budgets: Array

    def unfinished(self, full_budget: float) -> Array:
        """Points that were evaluated, but not at the full budget, shape (n, n_dims)."""
        finished = np.unique(self.numbers[self.budgets >= full_budget])
        last = np.append(self.numbers[1:] != self.numbers[:-1], True)[: len(self.numbers)]
        return self.points[last & ~np.isin(self.numbers, finished)]

    def with_pending(self, point: Array, budget: float) -> "Observations":
        """The same, with one more trial running."""
        return self._replace(
            pending=np.vstack([self.pending, point]), pending_budgets=np.append(self.pending_budgets, budget)
        )


class _Row(NamedTuple):
    number: int
    point: Array
    values: list[tuple[float, tuple[float, ...], float]]
    is_failed: bool
    pending_budget: int


class Observer:
    """Turns histories into arrays; remembers the rows of trials that have not changed."""

    def __init__(self, encoding: SpaceEncoding) -> None:
        self._encoding = encoding
        self._memory = TrialMemory(self._row)
        self._history: History | None = None

    def observe(self, history: History) -> Observations:
        """The history as arrays."""
        if self._history is None or history.objectives != self._history.objectives:
            self._memory = TrialMemory(self._row)
        self._history = history
        rows = self._memory.rows(history.trials)
        evaluated = [(row, value) for row in rows for value in row.values]
        pending = [row for row in rows if row.pending_budget]
        return Observations(
            points=self._stack([row.point for row, _ in evaluated]),
            budgets=np.array([budget for _, (budget, _, _) in evaluated]),
            losses=np.array([losses for _, (_, losses, _) in evaluated]).reshape(-1, len(history.objectives)),
            seconds=np.array([seconds for _, (_, _, seconds) in evaluated]),
            numbers=np.array([row.number for row, _ in evaluated], dtype=np.int64),
            failed=self._stack([row.point for row in rows if row.is_failed]),
            pending=self._stack([row.point for row in pending]),
            pending_budgets=np.array([float(row.pending_budget) for row in pending]),
        )

    def _stack(self, points: list[Array]) -> Array:
        return np.array(points).reshape(-1, self._encoding.n_dims)

    def _row(self, trial: Trial) -> _Row:
        assert self._history is not None
        goals, full = self._history.objectives, self._history.spec.full_budget
        values = []
        for evaluation in trial.evaluations:
            if all(goal.metric in evaluation.metrics for goal in goals):
                losses = tuple(goal.loss(evaluation.metrics[goal.metric]) for goal in goals)
                values.append((float(evaluation.budget), losses, evaluation.seconds))
        is_completed = trial.state is TrialState.COMPLETED
        if is_completed and values and values[-1][0] < full:
            # Patience ended it: the value is what the full budget would have given.
            values[-1] = (float(full), *values[-1][1:])
        is_failed = _is_to_blame(trial) or (is_completed and not values)
        is_running = trial.state in {TrialState.PROPOSED, TrialState.RUNNING}
        point = self._encoding.snap(self._encoding.encode(trial.configuration)[None])[0]
        return _Row(trial.number, point, values, is_failed, trial.to_budget if is_running else 0)


def _is_to_blame(trial: Trial) -> bool:
    """True where the configuration made the trial fail, not the machine."""
    return trial.state is TrialState.FAILED and (trial.failure is None or not trial.failure.kind.deserves_retry)
