"""What a history tells a model: evaluated points with their budgets and losses, failed points, running points."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pegbox.schemas.history import History
from pegbox.schemas.plan import Constraint, Objective
from pegbox.schemas.trial import Evaluation, Trial, TrialState
from pegbox.search.model.training_data import Repeats
from pegbox.search.space.axes import Array
from pegbox.search.space.encoding import SpaceEncoding
from pegbox.search.trial_cache import BlockCache, TrialCache, joined


class Observations(NamedTuple):
    """A history as arrays.

    Attributes:
        points: Snapped point of each evaluation, shape (n, n_dims), in order of the trials' numbers.
        budgets: Where it was evaluated, shape (n,).
        losses: Shape (n, n_objectives); finite. Of a finalist the mean over all of its trainings.
        repeats: How many trainings a loss is the mean of, shape (n,).
        squares: Sum of the squares of what these differ by from it, shape (n, n_objectives).
        violations: How far it lies outside each constraint, shape (n, n_constraints); zero or less inside, NaN where
            the metric was not measured.
        seconds: Training time from budget 0 to there, shape (n,).
        numbers: Trial of each evaluation, shape (n,).
        failed: Points whose trial failed or has no value, shape (n_failed, n_dims).
        pending: Points of running trials, shape (n_pending, n_dims).
        pending_budgets: Where they will be evaluated, shape (n_pending,).
    """

    points: Array
    budgets: Array
    losses: Array
    repeats: Array
    squares: Array
    violations: Array
    seconds: Array
    numbers: npt.NDArray[np.int64]
    failed: Array
    pending: Array
    pending_budgets: Array

    def unfinished(self, full_budget: float) -> Array:
        """Points that were evaluated, but not at the full budget, shape (n, n_dims)."""
        # Rows come by trial: the last one of each is its highest rung, and the earlier ones say nothing more.
        finished = np.unique(self.numbers[self.budgets >= full_budget])
        last = np.append(self.numbers[1:] != self.numbers[:-1], True)[: len(self.numbers)]
        return self.points[last & ~np.isin(self.numbers, finished)]

    def repeated(self) -> Repeats | None:
        """Of the losses of one objective, in squares of its units; None where each is one training.

        Of several objectives too: what a weighted sum of them differs by is not to be told from what each does.
        """
        is_repeated = (self.repeats > 1).any() and self.losses.shape[1] == 1
        return Repeats(self.repeats, self.squares[:, 0]) if is_repeated else None

    @property
    def keeps(self) -> npt.NDArray[np.bool_]:
        """Which evaluations are known to keep every constraint, shape (n,)."""
        return np.asarray((self.violations <= 0).all(axis=1))

    def at_rows(self, rows: npt.NDArray[np.int64]) -> "Observations":
        """The same, with these evaluations alone."""
        evaluated = ("points", "budgets", "losses", "repeats", "squares", "violations", "seconds", "numbers")
        return self._replace(**{name: getattr(self, name)[rows] for name in evaluated})

    def with_pending(self, point: Array, budget: float) -> "Observations":
        """The same, with one more trial running."""
        return self._replace(
            pending=np.vstack([self.pending, point]), pending_budgets=np.append(self.pending_budgets, budget)
        )


class _Value(NamedTuple):
    budget: float
    losses: tuple[float, ...]
    repeats: int
    squares: tuple[float, ...]
    violations: tuple[float, ...]
    seconds: float


class _Row(NamedTuple):
    number: int
    point: Array
    """Not snapped."""
    values: list["_Value"]
    is_failed: bool
    pending_budget: int


class Observer:
    """Turns histories into arrays; remembers the rows of trials that have not changed."""

    def __init__(self, encoding: SpaceEncoding) -> None:
        self._encoding = encoding
        self._memory = TrialCache(self._row)
        self._blocks = BlockCache(self._block)
        self._history: History | None = None

    def observe(self, history: History) -> Observations:
        """The history as arrays."""
        # A resumed study may have other objectives or constraints: the same trials then give other rows.
        if self._history is None or _limits(history) != _limits(self._history):
            self._memory, self._blocks = TrialCache(self._row), BlockCache(self._block)
        self._history = history
        return Observations(*joined(self._blocks.blocks(tuple(self._memory.rows(history.trials)))))

    def _block(self, rows: tuple["_Row", ...]) -> Observations:
        """The rows of some trials as arrays."""
        assert self._history is not None
        evaluated = [(row, value) for row in rows for value in row.values]
        pending = [row for row in rows if row.pending_budget]
        return Observations(
            points=self._points([row.point for row, _ in evaluated]),
            budgets=np.array([value.budget for _, value in evaluated]),
            losses=_table([value.losses for _, value in evaluated], len(self._history.objectives)),
            repeats=np.array([float(value.repeats) for _, value in evaluated]),
            squares=_table([value.squares for _, value in evaluated], len(self._history.objectives)),
            violations=_table([value.violations for _, value in evaluated], len(self._history.spec.constraints)),
            seconds=np.array([value.seconds for _, value in evaluated]),
            numbers=np.array([row.number for row, _ in evaluated], dtype=np.int64),
            failed=self._points([row.point for row in rows if row.is_failed]),
            pending=self._points([row.point for row in pending]),
            pending_budgets=np.array([float(row.pending_budget) for row in pending]),
        )

    def _points(self, points: list[Array]) -> Array:
        # Snapped all at once: one by one they took most of the time in which a study of 10,000 trials is resumed.
        return self._encoding.snap(np.array(points).reshape(-1, self._encoding.n_dims))

    def _row(self, trial: Trial) -> _Row:
        assert self._history is not None
        goals, full = self._history.objectives, self._history.spec.full_budget
        values = []
        for evaluation in trial.evaluations:
            if all(goal.metric in evaluation.metrics for goal in goals):
                losses = _losses(goals, trial, evaluation)
                mean = losses.mean(axis=0)
                squares = ((losses - mean) ** 2).sum(axis=0)
                violations = tuple(_violation(limit, trial, evaluation) for limit in self._history.spec.constraints)
                values.append(
                    _Value(
                        float(evaluation.budget),
                        tuple(mean),
                        len(losses),
                        tuple(squares),
                        violations,
                        evaluation.seconds,
                    )
                )
        is_completed = trial.state is TrialState.COMPLETED
        if is_completed and values and values[-1].budget < full:
            # Patience ended it: the value is what the full budget would have given.
            values[-1] = values[-1]._replace(budget=float(full))
        is_failed = _is_to_blame(trial) or (is_completed and not values)
        is_running = trial.state in {TrialState.PROPOSED, TrialState.RUNNING}
        point = self._encoding.encode(trial.configuration)
        return _Row(trial.number, point, values, is_failed, trial.to_budget if is_running else 0)


def _losses(goals: tuple[Objective, ...], trial: Trial, evaluation: Evaluation) -> Array:
    """Of what was trained to there: by the search, and at the end on each fresh seed; shape (n, n_objectives).

    The search's own value too, though it is among the best of many: a model that holds all of these is not misled by
    which of them looked best.
    """
    fresh = trial.replicates if evaluation is trial.evaluations[-1] else ()
    trained = [one for one in (evaluation, *fresh) if all(goal.metric in one.metrics for goal in goals)]
    return np.array([[goal.loss(one.metrics[goal.metric]) for goal in goals] for one in trained])


def _is_to_blame(trial: Trial) -> bool:
    """True where the configuration made the trial fail, not the machine."""
    return trial.state is TrialState.FAILED and (trial.failure is None or not trial.failure.kind.deserves_retry)


def _limits(history: History) -> tuple[object, ...]:
    """What of a study decides how its trials are read."""
    return history.objectives, history.spec.constraints


def _violation(constraint: Constraint, trial: Trial, evaluation: Evaluation) -> float:
    """At an earlier rung as it was measured there; at the last one as it counts, by fresh seeds where there are any."""
    is_last = evaluation is trial.evaluations[-1]
    value = trial.measured(constraint.metric) if is_last else evaluation.metrics.get(constraint.metric)
    return math.nan if value is None else constraint.violation(value)


def _table(rows: list[tuple[float, ...]], n_columns: int) -> Array:
    return np.array(rows, dtype=float).reshape(len(rows), n_columns)
