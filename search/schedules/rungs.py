"""The rungs of a multi-fidelity study and the results at each; which trial is promoted is a schedule's choice."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pegbox.schemas.decision import Done, Wait
from pegbox.schemas.history import History
from pegbox.schemas.plan import Objective
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Trial, TrialState
from pegbox.schemas.trials_by_state import ActiveTrials
from pegbox.search.space.axes import Array
from pegbox.search.trial_cache import TrialCache

Rungs = tuple[int, ...]
"""Budgets, lowest first; the last is the full budget."""


class Standings(NamedTuple):
    """Where the trials of a history stand.

    Attributes:
        losses: Shape (n_trials, n_rungs, n_objectives); NaN where a trial has no value at a rung.
        arrived: Which trials have been evaluated at each rung, shape (n_trials, n_rungs).
        paused_at: Rung at which a trial is paused, shape (n_trials,); -1 where it is not paused.
        over: Which trials have failed or were stopped, shape (n_trials,).
    """

    losses: Array
    arrived: npt.NDArray[np.bool_]
    paused_at: npt.NDArray[np.int64]
    over: npt.NDArray[np.bool_]


class _Place(NamedTuple):
    losses: Array
    arrived: list[bool]
    paused_at: int
    over: bool


class Ladder:
    """Reads the standings of a history; remembers those of trials that have not changed."""

    def __init__(self, spec: StudySpec) -> None:
        self.rungs: Rungs = spec.rungs
        self.factor = spec.fidelity.factor
        self._goals = spec.goals
        self._places = TrialCache(lambda trial: _place(trial, self.rungs, self._goals))

    @property
    def top(self) -> int:
        """Number of the rung at the full budget."""
        return len(self.rungs) - 1

    def standings(self, history: History) -> Standings:
        """Where the trials stand now."""
        places = self._places.rows(history.trials)
        shape = (len(places), len(self.rungs), len(self._goals))
        return Standings(
            losses=np.array([place.losses for place in places]).reshape(shape),
            arrived=np.array([place.arrived for place in places], dtype=bool).reshape(shape[:2]),
            paused_at=np.array([place.paused_at for place in places], dtype=np.int64),
            over=np.array([place.over for place in places], dtype=bool),
        )


def _place(trial: Trial, rungs: Rungs, goals: tuple[Objective, ...]) -> _Place:
    """A trial that ended below a rung, because patience ended it, holds its last value from there on."""
    losses = np.full((len(rungs), len(goals)), np.nan)
    arrived = [False] * len(rungs)
    for position, rung in enumerate(rungs):
        reached = [evaluation for evaluation in trial.evaluations if evaluation.budget <= rung]
        ended = trial.state is TrialState.COMPLETED and trial.budget <= rung
        if not reached or not (ended or trial.budget >= rung):
            continue
        arrived[position] = True
        for column, goal in enumerate(goals):
            if goal.metric in reached[-1].metrics:
                losses[position, column] = goal.loss(reached[-1].metrics[goal.metric])
    # By counting, since a paused trial may stand between two rungs after the study's rungs were changed.
    paused_at = sum(trial.budget >= rung for rung in rungs) - 1 if trial.state is TrialState.PAUSED else -1
    return _Place(losses, arrived, paused_at, trial.state in {TrialState.FAILED, TrialState.STOPPED})


def next_paused(active: ActiveTrials) -> Trial | None:
    """The paused trial of the lowest number."""
    return next((trial for trial in active if trial.state is TrialState.PAUSED), None)


def idle(history: History) -> Wait | Done:
    """What is left where no trial can begin or go on."""
    return Wait() if history.running else Done(reason="No trial is left to train further.")
