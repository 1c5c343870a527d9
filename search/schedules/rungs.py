"""The rungs of a multi-fidelity study and the results at each; which trial is promoted is a schedule's choice."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pegbox.schemas.decision import Done, Wait
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Trial, TrialState
from pegbox.schemas.trials_by_state import ActiveTrials
from pegbox.search.objectives import known_violations, ranking, total_violation
from pegbox.search.space.axes import Array
from pegbox.search.trial_cache import BlockCache, TrialCache, joined

Rungs = tuple[int, ...]
"""Budgets, lowest first; the last is the full budget."""


class Standings(NamedTuple):
    """Where the trials of a history stand.

    Attributes:
        losses: Shape (n_trials, n_rungs, n_objectives); NaN where a trial has no value at a rung.
        violations: How far a trial lies outside each constraint at each rung, zero or less inside, shape (n_trials,
            n_rungs, n_constraints); 0 where it was not measured.
        arrived: Which trials have been evaluated at each rung, shape (n_trials, n_rungs).
        paused_at: Rung at which a trial is paused, shape (n_trials,); -1 where it is not paused.
        over: Which trials have failed or were stopped, shape (n_trials,).
    """

    losses: Array
    violations: Array
    arrived: npt.NDArray[np.bool_]
    paused_at: npt.NDArray[np.int64]
    over: npt.NDArray[np.bool_]

    def ranked(self, members: npt.NDArray[np.int64], rung: int) -> npt.NDArray[np.int64]:
        """Trials best first, as they stand at a rung: who keeps the constraints comes before who breaks them."""
        return members[ranking(self.losses[members, rung], total_violation(self.violations[members, rung]))]


class _Place(NamedTuple):
    losses: Array
    violations: Array
    arrived: list[bool]
    paused_at: int
    over: bool


class Ladder:
    """Reads the standings of a history; remembers those of trials that have not changed."""

    def __init__(self, spec: StudySpec) -> None:
        self.rungs: Rungs = spec.rungs
        self.factor = spec.fidelity.factor
        self._spec = spec
        self._places, self._blocks = TrialCache(self._place), BlockCache(self._block)

    @property
    def top(self) -> int:
        """Number of the rung at the full budget."""
        return len(self.rungs) - 1

    def standings(self, history: History) -> Standings:
        """Where the trials stand now."""
        return Standings(*joined(self._blocks.blocks(tuple(self._places.rows(history.trials)))))

    def _block(self, places: tuple[_Place, ...]) -> Standings:
        shape = (len(places), len(self.rungs))
        return Standings(
            losses=np.array([place.losses for place in places]).reshape(*shape, len(self._spec.goals)),
            violations=np.array([place.violations for place in places]).reshape(*shape, len(self._spec.constraints)),
            arrived=np.array([place.arrived for place in places], dtype=bool).reshape(shape),
            paused_at=np.array([place.paused_at for place in places], dtype=np.int64),
            over=np.array([place.over for place in places], dtype=bool),
        )

    def _place(self, trial: Trial) -> _Place:
        """A trial that ended below a rung, because patience ended it, holds its last value from there on."""
        rungs, goals, limits = self.rungs, self._spec.goals, self._spec.constraints
        losses, violations = np.full((len(rungs), len(goals)), np.nan), np.zeros((len(rungs), len(limits)))
        arrived = [False] * len(rungs)
        for position, rung in enumerate(rungs):
            reached = [evaluation for evaluation in trial.evaluations if evaluation.budget <= rung]
            ended = trial.state is TrialState.COMPLETED and trial.budget <= rung
            if not reached or not (ended or trial.budget >= rung):
                continue
            metrics, arrived[position] = reached[-1].metrics, True
            losses[position] = [goal.loss(metrics[goal.metric]) if goal.metric in metrics else np.nan for goal in goals]
            violations[position] = known_violations(metrics, limits)
        # By counting, since a paused trial may stand between two rungs after the study's rungs were changed.
        paused_at = sum(trial.budget >= rung for rung in rungs) - 1 if trial.state is TrialState.PAUSED else -1
        return _Place(losses, violations, arrived, paused_at, trial.state in {TrialState.FAILED, TrialState.STOPPED})


def next_paused(active: ActiveTrials) -> Trial | None:
    """The paused trial of the lowest number."""
    return next((trial for trial in active if trial.state is TrialState.PAUSED), None)


def idle(history: History) -> Wait | Done:
    """What is left where no trial can begin or go on."""
    return Wait() if history.running else Done(reason="No trial is left to train further.")
