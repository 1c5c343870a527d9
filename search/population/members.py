"""The members of a population in a history: who holds which place, and how each stands at a budget."""

import math
from typing import NamedTuple

import numpy as np

from pegbox.schemas.history import History
from pegbox.schemas.trial import Trial, TrialState
from pegbox.search.objectives import ranking


class Standing(NamedTuple):
    """How the trials that were evaluated at one budget compare; numbers of trials."""

    top: tuple[int, ...]
    """The best, best first; as many as are at the bottom."""
    bottom: tuple[int, ...]
    """The worst, worst last."""


class Population:
    """What of a history a population is made of.

    A place is held by the trials that were trained in it one after another; the last of them is its member.
    """

    def __init__(self, history: History) -> None:
        self._history = history
        self.members: list[Trial] = []
        places: dict[int, int] = {}
        for trial in history.trials:
            place = len(self.members) if trial.replaces is None else places[trial.replaces]
            places[trial.number] = place
            if place < len(self.members):
                self.members[place] = trial
            else:
                self.members.append(trial)

    def vacant(self) -> list[Trial]:
        """Members that were stopped or failed, lowest place first, but for those that are given up."""
        over = (TrialState.STOPPED, TrialState.FAILED)
        return [member for member in self.members if member.state in over and not self._is_given_up(member)]

    def paused(self) -> list[Trial]:
        """Members that wait to be trained on, lowest place first."""
        return [member for member in self.members if member.state is TrialState.PAUSED]

    def givers(self) -> list[Trial]:
        """Members whose checkpoint a copy can go on from."""
        full = self._history.spec.full_budget
        return [
            member
            for member in self.members
            if not member.state.is_finished and member.evaluations and 0 < member.budget < full
        ]

    def standing(self, budget: int, quantile: float) -> Standing:
        """Who is at the top and at the bottom of all that were ever evaluated at a budget.

        All, so that the first replacement does not move another one to the bottom; the same epoch only, so that nobody
        is behind for having begun later.
        """
        found = [
            (trial.number, loss) for trial in self._history.trials if (loss := self.loss(trial, budget)) < math.inf
        ]
        order = [found[row][0] for row in ranking(np.array([[loss] for _, loss in found]).reshape(-1, 1))]
        n = min(math.ceil(quantile * len(order)), len(order) // 2)
        return Standing(tuple(order[:n]), tuple(order[len(order) - n :]))

    def loss(self, trial: Trial, budget: int) -> float:
        """The objective at a budget, to be made small; infinite where it was not measured."""
        goal = self._history.objectives[0]
        value = trial.value(goal.metric, budget)
        return math.inf if value is None else goal.loss(value)

    def _is_given_up(self, member: Trial) -> bool:
        """True where two in a row failed before they had a value: a third would most likely as well."""
        before = None if member.replaces is None else self._history.trials[member.replaces]
        return _failed_at_once(member) and before is not None and _failed_at_once(before)


def _failed_at_once(trial: Trial) -> bool:
    return trial.state is TrialState.FAILED and not trial.evaluations
