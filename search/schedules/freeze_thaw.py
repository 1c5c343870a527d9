"""Freeze-thaw, multi-fidelity: decides at once what to try and how far to train it, by the knowledge gradient."""

import math
from typing import NamedTuple

import numpy as np

from pegbox.schemas.base import Configuration
from pegbox.schemas.decision import Continue, Decision, Start
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.search.model.acquisition_optimiser import Effort
from pegbox.search.model.budget_surrogate import Surrogate
from pegbox.search.model.knowledge_gradient import KnowledgeGradient
from pegbox.search.model.threads import single_threaded
from pegbox.search.samplers.bayes import BayesSampler
from pegbox.search.schedules.rungs import Ladder, idle
from pegbox.search.space.axes import Array
from pegbox.search.space.encoding import SpaceEncoding

# Less than the sampler's effort: each point is scored against up to 40 rivals at 15 nodes. Picked by hand for an ask
# that is short beside an epoch.
LOOKAHEAD = Effort(n_uniform=300, n_near=60, n_starts=4, n_steps=15, n_rounds=5)


class FreezeThawSettings(NamedTuple):
    """The method's constants."""

    thrift: float = 1.0
    """Exponent of a step's epochs; at 1 value is counted for each epoch, at 0 regardless of them."""
    margin: float = 0.3
    """Fall of the best mean that counts for nothing at every other decision, in deviations of the seen points' means:
    without it the epochs go into ever smaller steps around the best point, on LCBench half of them. Picked by hand."""


class _Offer(NamedTuple):
    worth: float
    """Logarithm of the value for each epoch."""
    step: Decision


class FreezeThawPlanner:
    """Compares the best new configuration with going on with each paused one, by value for each epoch.

    Source: Swersky et al. 2014 for the idea; the value is the knowledge gradient of Wu et al. 2020.
    """

    def __init__(
        self,
        spec: StudySpec,
        encoding: SpaceEncoding,
        sampler: BayesSampler,
        settings: FreezeThawSettings | None = None,
    ) -> None:
        self._ladder = Ladder(spec)
        self._encoding = encoding
        self._sampler = sampler
        self._settings = settings or FreezeThawSettings()

    @single_threaded
    def plan(self, history: History, can_begin: bool, rng: np.random.Generator) -> Decision:
        """The step of most value for each epoch.

        Raises:
            SpaceExhaustedError: Nothing is paused and every configuration has been tried.
        """
        # Before the model: continuing one of the first few looks worth more than the design that the model needs.
        if can_begin and self._sampler.is_warming_up(history):
            return self._start(self._sampler.propose(history, 1, rng)[0])
        surrogate = self._sampler.surrogate(history, rng)
        if surrogate is None:
            return self._without_model(history, can_begin, rng)
        value = KnowledgeGradient(surrogate, 0.0 if history.n_decisions % 2 else self._settings.margin)
        offers = self._continuations(history, value)
        if can_begin:
            offers += self._beginnings(history, surrogate, value, rng)
        # Continuations stand first, and max takes the first of equals: going on wins a tie with beginning.
        return max(offers, key=lambda offer: offer.worth).step if offers else idle(history)

    def _without_model(self, history: History, can_begin: bool, rng: np.random.Generator) -> Decision:
        """Too few values for a model: go on with what is paused, lowest number first."""
        paused = np.flatnonzero(self._ladder.standings(history).paused_at >= 0)
        if len(paused):
            trial = history.trials[int(paused[0])]
            return Continue(trial=trial.number, to_budget=self._next_rung(trial.budget))
        return self._start(self._sampler.propose(history, 1, rng)[0]) if can_begin else idle(history)

    def _start(self, configuration: Configuration) -> Start:
        return Start(configuration=configuration, to_budget=self._ladder.rungs[0])

    def _next_rung(self, budget: int) -> int:
        return next(rung for rung in self._ladder.rungs if rung > budget)

    def _continuations(self, history: History, value: KnowledgeGradient) -> list[_Offer]:
        standings = self._ladder.standings(history)
        offers = []
        for rung in range(self._ladder.top):
            paused = np.flatnonzero(standings.paused_at == rung)
            if not len(paused):
                continue
            budget = self._ladder.rungs[rung + 1]
            points = self._points(history, paused.tolist())
            worth = value.fall(points, budget)
            # Reaching the full budget also puts a value into the hand that can be the answer; a rung below cannot.
            if rung + 1 == self._ladder.top:
                worth = worth + value.gain(points)
            best = int(np.argmax(worth))
            n_epochs = budget - history.trials[int(paused[best])].budget
            step = Continue(trial=int(paused[best]), to_budget=budget)
            offers.append(_Offer(self._per_epoch(float(worth[best]), n_epochs), step))
        return offers

    def _beginnings(
        self, history: History, surrogate: Surrogate, value: KnowledgeGradient, rng: np.random.Generator
    ) -> list[_Offer]:
        first = self._ladder.rungs[0]

        def score(points: Array) -> Array:
            return np.asarray(np.log(value.fall(points, first)))

        found = self._sampler.best_untried(history, score, surrogate, rng, LOOKAHEAD)
        worth = float(value.fall(self._encoding.snap(self._encoding.encode(found)[None]), first)[0])
        return [_Offer(self._per_epoch(worth, first), self._start(found))]

    def _points(self, history: History, numbers: list[int]) -> Array:
        points = [self._encoding.encode(history.trials[number].configuration) for number in numbers]
        return self._encoding.snap(np.array(points))

    def _per_epoch(self, worth: float, n_epochs: int) -> float:
        return math.log(worth) - self._settings.thrift * math.log(n_epochs)
