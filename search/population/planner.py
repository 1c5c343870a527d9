"""Population based training: truncation selection over checkpoints (exploit); what a copy gets, an explorer says.

Asynchronous: a member is judged when a worker is free for it, by those that came as far as it. With one worker all
have, so that it is the lock-step form; with several no worker waits for a generation to be complete.
"""

from typing import Protocol

import numpy as np

from pegbox.schemas.base import Configuration
from pegbox.schemas.decision import Continue, Decision, Done, Fork, Start, Stop, Wait
from pegbox.schemas.history import History
from pegbox.schemas.population import PopulationOptions, generations
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Trial, TrialState
from pegbox.search.limits import committed
from pegbox.search.population.first_members import FirstMembers
from pegbox.search.population.members import Population, Standing


class Explorer(Protocol):
    """What a copy of a member is trained with."""

    def explore(self, history: History, parent: Trial, budget: int, rng: np.random.Generator) -> Configuration:
        """A configuration for a copy that goes on from a member at a budget; all that is fixed is the parent's."""
        ...


class PopulationPlanner:
    """Begins the members, then judges each after every interval.

    One at the bottom is stopped; its place is taken by a copy of one at the top, chosen by chance, that trains on with
    other hyperparameters. The place of a member that failed is taken in the same way.

    Source: Jaderberg et al. 2017, algorithm 1, with truncation selection (section 4.1.1).
    """

    def __init__(self, spec: StudySpec, options: PopulationOptions, first: FirstMembers, explorer: Explorer) -> None:
        self._generations = generations(spec.search, spec.full_budget)
        self._options = options
        self._first = first
        self._explorer = explorer

    def plan(self, history: History, can_begin: bool, rng: np.random.Generator) -> Decision:
        """The next step; a copy counts as a trial, so that none is made once no further trial may begin."""
        population = Population(history)
        if can_begin and len(population.members) < self._options.population:
            configuration = self._first.configuration(len(population.members))
            return Start(configuration=configuration, to_budget=self._generations[0])
        if (left := self._left_behind(history, population)) is not None:
            return Stop(trial=left.number)
        if can_begin:
            for vacant in population.vacant():
                if (fork := self._fork(history, population, vacant, rng)) is not None:
                    return fork
        return self._go_on(history, population, can_begin)

    def _left_behind(self, history: History, population: Population) -> Trial | None:
        """A trial that waits and is no member any more: its place was taken, or the space does not hold it."""
        members = {member.number for member in population.members}
        return next(
            (
                trial
                for trial in history.active
                if trial.state is TrialState.PAUSED
                and (trial.number not in members or not history.space.contains(trial.configuration))
            ),
            None,
        )

    def _go_on(self, history: History, population: Population, can_begin: bool) -> Decision:
        waiting = self._affordable(history, population)
        if not waiting:
            return Wait() if history.running else Done(reason=_ending(history, population))
        budget = min(trial.budget for trial in waiting)
        standing = population.standing(budget, self._options.quantile)
        # Those in the middle go first and those at the top last: when one at the bottom is judged, as many as can be
        # have come as far as it, and whom it is replaced by still stands there.
        trial = min(
            (one for one in waiting if one.budget == budget), key=lambda one: (_turn(one, standing), one.number)
        )
        if can_begin and budget >= self._options.burn_in and self._is_beaten(population, trial, standing):
            return Stop(trial=trial.number)
        return Continue(trial=trial.number, to_budget=self._next(budget))

    def _is_beaten(self, population: Population, trial: Trial, standing: Standing) -> bool:
        """True for a trial at the bottom where one at the top can be copied; equals are no better."""
        if trial.number not in standing.bottom:
            return False
        givers = [giver for giver in population.givers() if giver.number in standing.top]
        own = population.loss(trial, trial.budget)
        return any(population.loss(giver, trial.budget) < own for giver in givers)

    def _fork(self, history: History, population: Population, vacant: Trial, rng: np.random.Generator) -> Fork | None:
        """A copy of one at the top in the place of a trial; None where nobody can be copied, or no epochs are left."""
        givers = self._givers(population, vacant)
        if not givers:
            return None
        parent = givers[rng.integers(len(givers))]
        if not self._is_affordable(history, population, parent):
            return None
        configuration = self._explorer.explore(history, parent, parent.budget, rng)
        return Fork(
            parent=parent.number,
            replaces=vacant.number,
            configuration=configuration,
            from_budget=parent.budget,
            to_budget=self._next(parent.budget),
        )

    def _givers(self, population: Population, vacant: Trial) -> list[Trial]:
        """Those at the top where a trial ended; where none can be copied there, at the highest budget where one can."""
        givers = {giver.number: giver for giver in population.givers()}
        reached = sorted({giver.budget for giver in givers.values()}, reverse=True)
        for budget in (vacant.budget, *reached):
            standing = population.standing(budget, self._options.quantile)
            found = [givers[number] for number in standing.top if number in givers]
            if found:
                return found
        # Too few for a top and a bottom: whoever came farthest, so that a failure costs no place.
        return [giver for giver in givers.values() if giver.budget == reached[0]] if givers else []

    def _affordable(self, history: History, population: Population) -> list[Trial]:
        """Members that wait and can be trained to the end with the epochs that are left, the best first.

        All of them where epochs are not limited, or where they last for all: a failure may have cost some.
        """
        waiting = population.paused()
        left = _epochs_left(history)
        if left is None:
            return waiting
        full = history.spec.full_budget
        waiting.sort(key=lambda trial: (population.loss(trial, trial.budget), trial.number))
        lasting = []
        for trial in waiting:
            left -= full - trial.budget
            if left >= 0:
                lasting.append(trial)
        # Where not even one can come to the end, the best goes on until the budget ends the search.
        return lasting or waiting[:1]

    def _is_affordable(self, history: History, population: Population, parent: Trial) -> bool:
        left = _epochs_left(history)
        if left is None:
            return True
        full = history.spec.full_budget
        return left >= full - parent.budget + sum(full - trial.budget for trial in population.paused())

    def _next(self, budget: int) -> int:
        return next(generation for generation in self._generations if generation > budget)


def _ending(history: History, population: Population) -> str:
    n_done = sum(member.state is TrialState.COMPLETED for member in population.members)
    if n_done == len(population.members):
        return f"All {n_done} members were trained for {history.spec.full_budget} epochs."
    return f"{n_done} of {len(population.members)} members were trained to the end, and no other can be replaced."


def _turn(trial: Trial, standing: Standing) -> int:
    return 2 if trial.number in standing.top else int(trial.number in standing.bottom)


def _epochs_left(history: History) -> int | None:
    """Epochs that are neither spent nor needed to bring those to the end that run now; None where there is no limit."""
    limit = history.spec.budget.epochs
    if limit is None:
        return None
    needed = sum(history.spec.full_budget - trial.to_budget for trial in history.running)
    return limit - sum(committed(trial) for trial in history.trials) - needed
