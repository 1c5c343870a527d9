"""PB2: a time-varying Gaussian process bandit over the steps of a population chooses what a copy is trained with.

Source: Parker-Holder et al. 2020, algorithm 1 and section 4: the process learns the change of the objective over an
interval, y = (f(t) - f(t - 1)), from time and hyperparameters, and the next ones are where its confidence bound is
best, in a batch by GP-BUCB (Desautels et al. 2014). As in the authors' own program the value before the interval is a
feature as well, and changes are counted for each epoch. Ours differs in the kernel: a Matérn over hyperparameters, time
and value, each with a length scale that is fitted, stands for their product of a squared exponential with
(1 - ε)^(|i - j| / 2) over time.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from pegbox.schemas.base import Configuration
from pegbox.schemas.history import History
from pegbox.schemas.trial import Trial
from pegbox.search.model.gaussian_process import Posterior, Prior, fit
from pegbox.search.model.threads import single_threaded
from pegbox.search.model.training_data import Data
from pegbox.search.population.perturbation import Perturbation, allowed_change
from pegbox.search.space.axes import Array
from pegbox.search.space.encoding import SpaceEncoding

FEWEST_STEPS = 4
"""Steps of the population that the process needs; before, values are drawn anew. Three leave a trend in time and one in
value without anything that contradicts them."""
MOST_STEPS = 600
"""Of the latest steps that the process is fitted to; picked by hand, as for the models of `bayes`."""
# From the authors' program: beta = 0.2 + log(0.4 n), at least 0.2, for n steps.
BASE, RATE = 0.2, 0.4
# Picked by hand: some seconds of an epoch should not go into a bound that is a guess itself.
N_UNIFORM, N_NEAR, N_ROUNDS = 600, 100, 3


class Step(NamedTuple):
    """One member over one interval."""

    configuration: Configuration
    begin: int
    end: int
    before: float
    """Loss at its beginning."""
    after: float


class TimeVaryingBandit:
    """Chooses the ordered parameters of a copy together; what has no order is drawn anew now and then, as by `pbt`."""

    def __init__(self, encoding: SpaceEncoding, mutable: Sequence[str]) -> None:
        self._encoding = encoding
        axes = dict(zip(encoding.names, encoding.axes, strict=True))
        self._axes = {name: axes[name] for name in mutable if axes[name].is_ordered}
        unordered = [name for name in mutable if name not in self._axes]
        # A quarter, and no factor that moves: the probability of `pbt`.
        self._unordered = Perturbation(encoding, unordered, 0.25, (1.2,))
        self._redraw = Perturbation(encoding, mutable, 1.0, (1.2,))

    @single_threaded
    def explore(self, history: History, parent: Trial, budget: int, rng: np.random.Generator) -> Configuration:
        """The hyperparameters whose next interval is expected to gain most, as far as the bound is believed."""
        steps = list(_steps(history))[-MOST_STEPS:]
        names = [name for name in self._axes if name in parent.configuration]
        if len(steps) < FEWEST_STEPS or not names:
            return self._redraw.explore(history, parent, budget, rng)
        loss = history.objectives[0].loss(parent.value(history.objectives[0].metric) or 0.0)
        bound = _Bound(self, history, steps)
        base = self._unordered.explore(history, parent, budget, rng)
        return allowed_change(self._encoding, base, lambda: self._best(bound, base, names, (budget, loss), rng))

    def units(self, configuration: Configuration) -> list[float]:
        """Where the ordered parameters lie on their scales; in the middle where one is not active."""
        return [axis.unit(configuration[name]) if name in configuration else 0.5 for name, axis in self._axes.items()]

    def _best(
        self, bound: "_Bound", base: Configuration, names: list[str], now: tuple[int, float], rng: np.random.Generator
    ) -> Configuration:
        """Of points all over the space and of some around the best of them, that of the least bound."""
        columns = [list(self._axes).index(name) for name in names]
        points = np.tile(self.units(base), (N_UNIFORM, 1))
        points[:, columns] = rng.random((N_UNIFORM, len(columns)))
        for round_ in range(N_ROUNDS):
            best = points[int(np.argmin(bound.of(points, now)))]
            near = np.tile(best, (N_NEAR, 1))
            spread = 0.1 * 0.3**round_
            near[1:, columns] = np.clip(best[columns] + rng.normal(0, spread, (N_NEAR - 1, len(columns))), 0, 1)
            points = near
        best = points[int(np.argmin(bound.of(points, now)))]
        places = dict(zip(names, best[columns].tolist(), strict=True))
        return {**base, **{name: self._axes[name].value(place) for name, place in places.items()}}


class _Bound:
    """The lower confidence bound of the change of the loss, for each epoch, in standardised units."""

    def __init__(self, bandit: TimeVaryingBandit, history: History, steps: Sequence[Step]) -> None:
        self._full = history.spec.full_budget
        losses = np.array([step.before for step in steps])
        self._low, self._width = float(losses.min()), float(np.ptp(losses)) or 1.0
        changes = np.array([(step.after - step.before) / (step.end - step.begin) for step in steps])
        spread = float(changes.std()) or 1.0
        features = self._features([bandit.units(s.configuration) for s in steps], [(s.begin, s.before) for s in steps])
        n_features = features.shape[1]
        data = Data(features, np.arange(n_features), (changes - changes.mean()) / spread)
        posterior = Posterior(data, fit(data, Prior(n_features)))
        running = [(bandit.units(trial.configuration), now) for trial, now in _running(history)]
        # Those that run now count as if they had ended where they are expected to: a batch looks at different places.
        if running:
            posterior = posterior.with_pending(self._features([one for one, _ in running], [now for _, now in running]))
        self._posterior = posterior
        self._beta = BASE + max(0.0, math.log(RATE * len(steps)))

    def of(self, points: Array, now: tuple[int, float]) -> Array:
        """The bound at points of the ordered parameters, shape (n, n_ordered), from an epoch and a loss on."""
        mean, deviation = self._posterior.predict(self._features(points, [now] * len(points)))
        return np.asarray(mean - math.sqrt(self._beta) * deviation)

    def _features(self, units: Array | list[list[float]], begins: list[tuple[int, float]]) -> Array:
        times = [[budget / self._full, (loss - self._low) / self._width] for budget, loss in begins]
        return np.hstack([np.array(times), np.asarray(units)])


def _steps(history: History) -> Iterator[Step]:
    """What each member did over each interval whose beginning was measured too, in order of their ends."""
    goal = history.objectives[0]
    found = []
    for trial in history.trials:
        begin, before = trial.inherited, _inherited_loss(history, trial)
        for evaluation in trial.evaluations:
            after = evaluation.metrics.get(goal.metric)
            if after is not None and before is not None:
                found.append(Step(trial.configuration, begin, evaluation.budget, before, goal.loss(after)))
            begin, before = evaluation.budget, None if after is None else goal.loss(after)
    return iter(sorted(found, key=lambda step: step.end))


def _running(history: History) -> Iterator[tuple[Trial, tuple[int, float]]]:
    """Members that are trained now, each with the epoch and the loss that it began with."""
    goal = history.objectives[0]
    for trial in history.running:
        value = trial.value(goal.metric)
        loss = _inherited_loss(history, trial) if value is None else goal.loss(value)
        if loss is not None:
            yield trial, (trial.budget, loss)


def _inherited_loss(history: History, trial: Trial) -> float | None:
    """The loss of the checkpoint that a copy began with; None for a trial that began anew."""
    if trial.parent is None:
        return None
    goal = history.objectives[0]
    value = history.trials[trial.parent].value(goal.metric, trial.inherited)
    return None if value is None else goal.loss(value)
