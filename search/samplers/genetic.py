"""A steady-state evolutionary algorithm with NSGA-II's non-dominated sorting; no generations are waited for.

Each proposal is the child of two good trials. Children of a population that has converged are mutated more, since a
child that was tried before is drawn again.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pegbox.schemas.base import Configuration
from pegbox.schemas.history import History
from pegbox.search.model.observations import Observer
from pegbox.search.objectives import ranking, total_violation
from pegbox.search.samplers.initial_design import InitialDesign
from pegbox.search.space.axes import Array
from pegbox.search.space.deduplication import Deduplication
from pegbox.search.space.encoding import SpaceEncoding


class GeneticSettings(NamedTuple):
    """The method's constants."""

    # Smaller than NSGA-II's 100, because a training costs more than a function; a third of the search at 60 trials.
    population: int = 20
    """Trials that may become parents; as many begin the search, drawn from a Sobol sequence."""
    tournament: int = 3
    """Members drawn for each parent; the best of them is taken. NSGA-II draws 2; 3 presses harder, as a population that
    is never replaced as a whole has to. Picked by hand."""
    # As in Deb et al. 2002.
    crossover: float = 0.9
    """Probability that a child has two parents."""
    # Mühlenbein & Schlierkamp-Voosen 1993: with a quarter the spread of a population neither shrinks nor grows.
    blend: float = 0.25
    """How far a child's number may lie outside of its parents', in units of their distance."""
    width: float = 0.15
    """Deviation of a mutation on the unit interval at the begin; it falls as the search goes on."""


class GeneticSampler:
    """Tournament selection, blend and uniform crossover, Gaussian and jumping mutation, reflection at the bounds.

    Source: Deb et al. 2002 (ranking by front, crowding and constraints); Eshelman & Schaffer 1993 (blend crossover).
    """

    def __init__(self, encoding: SpaceEncoding, seed: int, settings: GeneticSettings | None = None) -> None:
        self._encoding = encoding
        self._settings = settings or GeneticSettings()
        self._novelty = Deduplication(encoding)
        self._observer = Observer(encoding)
        self._design = InitialDesign(encoding, seed)
        self._unordered = np.array([not axis.is_ordered for axis in encoding.axes])

    def propose(self, history: History, count: int, rng: np.random.Generator) -> list[Configuration]:
        """Children of the best trials; points of a Sobol sequence while there are too few."""
        parents = self._parents(history)
        if len(history.trials) < self._settings.population or len(parents) < 2:
            numbers = iter(range(len(history.trials), len(history.trials) + 10**9))
            return self._novelty.draw(history, count, lambda: self._encoding.decode(self._design.point(next(numbers))))
        share = self._settings.population / max(len(history.trials), 1)
        # Falls as the root of the trials, to a third of the begin at most: steps that still leave a basin. By hand.
        width = self._settings.width * max(share, 0.1) ** 0.5
        return self._novelty.draw(history, count, lambda: self._encoding.decode(self._child(parents, width, rng)))

    def _parents(self, history: History) -> Array:
        """The best points at the highest budget they have reached, best first, shape (n, n_dims)."""
        seen = self._observer.observe(history)
        last = np.append(seen.numbers[1:] != seen.numbers[:-1], True)[: len(seen.numbers)]
        points, losses, budgets = seen.points[last], seen.losses[last], seen.budgets[last]
        broken = total_violation(seen.violations[last])
        # Trials that were trained further are compared among themselves and come before the others.
        order = [rows[ranking(losses[rows], broken[rows])] for rows in _by_budget(budgets)]
        return np.asarray(points[np.concatenate(order)][: self._settings.population]) if order else points

    def _child(self, parents: Array, width: float, rng: np.random.Generator) -> Array:
        first, second = (parents[rng.integers(0, len(parents), self._settings.tournament).min()] for _ in range(2))
        filled = [np.where(np.isnan(point), rng.random(len(point)), point) for point in (first, second)]
        child = self._cross(filled[0], filled[1], rng) if rng.random() < self._settings.crossover else filled[0]
        return self._mutate(child, width, rng)

    def _cross(self, first: Array, second: Array, rng: np.random.Generator) -> Array:
        """Each number somewhere between its parents', or a little outside; the others from either parent."""
        share = rng.uniform(-self._settings.blend, 1 + self._settings.blend, len(first))
        either = np.where(rng.random(len(first)) < 0.5, first, second)
        blended = np.where(rng.random(len(first)) < 0.5, first + share * (second - first), either)
        return np.where(self._unordered, either, reflected(blended))

    def _mutate(self, child: Array, width: float, rng: np.random.Generator) -> Array:
        """About one parameter is changed: a number by a step, a value without an order by a jump."""
        # 1/n as in Deb et al. 2002; at least one, since a child like its parent would be drawn again.
        changed = rng.random(len(child)) < 1 / len(child)
        changed[rng.integers(0, len(child))] = True
        # Cauchy, not normal: most steps are small and a few are long (Yao, Liu & Lin 1999), so that no width is wrong.
        stepped = reflected(child + rng.standard_cauchy(len(child)) * width * 0.5)
        return np.where(changed, np.where(self._unordered, rng.random(len(child)), stepped), child)


def reflected(units: Array) -> Array:
    """Units outside of [0, 1] mirrored at its ends, so that no child gathers there as with clipping.

    >>> reflected(np.array([-0.25, 0.5, 1.25])).tolist()
    [0.25, 0.5, 0.75]
    """
    return np.asarray(1 - np.abs(1 - np.abs(units) % 2))


def _by_budget(budgets: Array) -> list[npt.NDArray[np.int64]]:
    """Row numbers of each budget, highest first."""
    return [np.flatnonzero(budgets == budget) for budget in np.unique(budgets)[::-1]]
