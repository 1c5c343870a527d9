"""Drives a strategy without a flow: simulated workers, an objective that answers at once; for benchmarks and tests."""

import heapq
from collections.abc import Callable
from typing import NamedTuple

from pegbox.schemas.base import Configuration, Metrics
from pegbox.schemas.decision import Done, Stop, Wait
from pegbox.schemas.events import TrialEvaluated, TrialFailed
from pegbox.schemas.failure import Failure
from pegbox.schemas.history import History
from pegbox.schemas.trial import Evaluation, Trial, TrialState
from pegbox.search.decision_events import decide
from pegbox.search.strategy import Strategy


class Outcome(NamedTuple):
    """What training a configuration from one budget to another gives."""

    result: Metrics | Failure
    seconds: float = 1.0


Objective = Callable[[Configuration, int, int], Outcome]
"""Configuration, budget it has reached, budget it is trained to."""


class Simulation:
    """A study whose training takes no time; the clock is simulated, so runs are reproducible."""

    def __init__(self, strategy: Strategy, history: History, objective: Objective, workers: int = 1) -> None:
        self.history = history
        self.done: Done | None = None
        self._strategy = strategy
        self._objective = objective
        self._workers = workers
        self._running: list[tuple[float, int, TrialEvaluated | TrialFailed]] = []
        self._clock = history.elapsed_seconds

    def run(self, max_steps: int | None = None) -> History:
        """The history once the strategy is done, or once so many segments have ended."""
        n_ended = 0
        while max_steps is None or n_ended < max_steps:
            self._fill()
            if not self._running:
                break
            self._clock, _, event = heapq.heappop(self._running)
            self.history = self.history.after(event)
            n_ended += 1
        return self.history

    def _fill(self) -> None:
        """Give every free worker something to do."""
        while len(self._running) < self._workers:
            made = decide(self.history.at(self._clock), self._strategy)
            if isinstance(made, Done):
                self.done = made
                return
            if isinstance(made, Wait):
                return
            self.history = self.history.after(made)
            if not isinstance(made.decision, Stop):
                self._train(made.trial, made.decision.to_budget, made.number)

    def _outcome(self, trial: Trial, to_budget: int) -> Outcome:
        """What training a trial further gives; an heir may look at what it began with."""
        return self._objective(trial.configuration, trial.budget, to_budget)

    def _train(self, number: int, to_budget: int, order: int) -> None:
        trial, study = self.history.trials[number], self.history.spec.name
        outcome = self._outcome(trial, to_budget)
        event: TrialEvaluated | TrialFailed
        if isinstance(outcome.result, Failure):
            event = TrialFailed(study=study, trial=number, attempt=1, failure=outcome.result, final=True)
        else:
            full = to_budget >= self.history.spec.full_budget
            event = TrialEvaluated(
                study=study,
                trial=number,
                evaluation=Evaluation(budget=to_budget, metrics=outcome.result, seconds=outcome.seconds),
                state=TrialState.COMPLETED if full else TrialState.PAUSED,
            )
        # The decision's number settles ties of the clock: events cannot be compared, and runs stay reproducible.
        heapq.heappush(self._running, (self._clock + outcome.seconds, order, event))
