"""fANOVA: how the variance of a forest over the declared space divides among parameters and pairs; judges nothing.

    V = sum_p V_p + sum_{p<q} V_pq + higher,   V_p = Var_x a_p(x),   V_pq = Var a_pq - V_p - V_q

with a_p the exact marginal of the forest and all averages uniform over the declared space, in each parameter's own
scale. A conditional parameter has no effect where it is inactive, so that its share counts how often it is active.

Source: Hutter, Hoos & Leyton-Brown 2014; Sobol 1993.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from pegbox.analysis.forest import Forest, Grower, join
from pegbox.analysis.unit_columns import Array, Cells, Column, Table

# 64 trees in all, as Optuna's fANOVA grows, but in bags: a bag is one plausible surrogate, whose own trees must average
# enough noise away for its shares to mean something. Picked by hand; what the intervals hold is counted by
# `benchmarks/importance.py` (95.6 % of 1,120), in 1.8 seconds for 10,000 trials.
N_BAGS = 16
TREES_A_BAG = 4
MAX_ROWS = 2000
"""Rows that each bag is fitted to, drawn from all; more make the trees slower, not deeper than their leaves allow."""
N_POINTS = 2048
"""For the total variance, the one figure that is not a sum over leaves. A variance from so many even points is within a
few percent; picked by hand."""
MAX_PAIRED = 12
"""Pairs are measured among so many parameters, those with the largest main effects: 66 pairs, each in every bag. Picked
by hand; what is left out of them is told as `higher_order`."""


@dataclass(frozen=True)
class Decomposition:
    """Shares of the variance.

    Attributes:
        total_variance: In squared units of the target.
        main: Share of each parameter alone, shape (n_columns,).
        pairs: Share of the interaction of two columns, beyond what each does alone.
    """

    total_variance: float
    main: Array
    pairs: dict[tuple[int, int], float]

    @property
    def total(self) -> Array:
        """Share of each parameter alone and in pairs, shape (n_columns,)."""
        total = self.main.copy()
        for (first, second), share in self.pairs.items():
            total[first] += share
            total[second] += share
        return total


@dataclass(frozen=True)
class Ensemble:
    """Forests of bootstrap draws of the trials: each is one plausible surrogate, their mean is the best one.

    Attributes:
        points: Cells that fill the space evenly, shape (n_points, n_columns).
        explained: Share of the variance of trials that were left out of a bag which the others explain; at most 1.
    """

    columns: tuple[Column, ...]
    bags: tuple[Forest, ...]
    points: Cells
    explained: float

    @property
    def mean(self) -> Forest:
        """All bags as one forest."""
        return join(list(self.bags))


def fit(table: Table, targets: Array, rng: np.random.Generator) -> Ensemble:
    """Grow the bags.

    Args:
        targets: Shape (n_trials,), finite.
    """
    grower = Grower(table, rng)
    n_rows = min(len(targets), MAX_ROWS)
    drawn = [rng.integers(len(targets), size=n_rows) for _ in range(N_BAGS)]
    bags = tuple(grower.grow(rows, targets[rows], TREES_A_BAG) for rows in drawn)
    return Ensemble(
        columns=table.columns,
        bags=bags,
        points=even_cells(table.columns, N_POINTS, rng),
        explained=_explained(table.cells()[:MAX_ROWS], targets[:MAX_ROWS], bags, drawn),
    )


def _explained(cells: Cells, targets: Array, bags: tuple[Forest, ...], drawn: list[Cells]) -> float:
    """Out-of-bag coefficient of determination, 0 where it would be negative."""
    outside = np.array([~np.isin(np.arange(len(targets)), rows) for rows in drawn])
    predictions = np.where(outside, np.array([bag.at(cells) for bag in bags]), 0.0)
    seen = outside.sum(axis=0)
    judged = seen > 0
    if judged.sum() < 2 or targets[judged].var() == 0:
        return 0.0
    errors = targets[judged] - predictions.sum(axis=0)[judged] / seen[judged]
    return max(0.0, 1 - float((errors**2).mean() / targets[judged].var()))


def decompose(forest: Forest, ensemble: Ensemble, pairs: list[tuple[int, int]]) -> Decomposition:
    """Shares of one forest, for the given pairs of columns; shares never add up to more than 1."""
    weights = [column.weights for column in ensemble.columns]
    mean = forest.mean()
    # Exact marginals, so that no share is noisy by sampling; negative interactions are rounding, and held at zero.
    main = np.array([weight @ (forest.marginal(position) - mean) ** 2 for position, weight in enumerate(weights)])
    both = {}
    for first, second in pairs:
        square = (forest.marginal(first, second) - mean) ** 2
        both[first, second] = max(float(weights[first] @ square @ weights[second]) - main[first] - main[second], 0.0)
    # Sampled, so that it may fall below the exact parts; then they are the whole, or shares would exceed 1.
    variance = max(float(forest.at(ensemble.points).var()), float(main.sum()) + sum(both.values()))
    if variance == 0:
        return Decomposition(0.0, np.zeros(len(main)), dict.fromkeys(both, 0.0))
    return Decomposition(variance, main / variance, {pair: value / variance for pair, value in both.items()})


def worthwhile_pairs(ensemble: Ensemble, forest: Forest) -> list[tuple[int, int]]:
    """Pairs of the columns with the largest main effects; all pairs of a small space."""
    main = decompose(forest, ensemble, []).main
    chosen = sorted(int(position) for position in np.argsort(-main, kind="stable")[:MAX_PAIRED])
    return list(combinations(chosen, 2))


def even_cells(columns: tuple[Column, ...], n_points: int, rng: np.random.Generator) -> Cells:
    """Points that fill the space evenly (a Latin hypercube), as cells of shape (n_points, n_columns).

    Uniform in each parameter's own scale.

    Source: McKay, Beckman & Conover 1979.
    """
    strata = np.argsort(rng.random((n_points, len(columns))), axis=0)
    units = (strata + rng.random(strata.shape)) / n_points
    cells = [
        np.clip(np.searchsorted(column.edges, units[:, position], side="right") - 1, 0, column.n_cells - 1)
        for position, column in enumerate(columns)
    ]
    return np.stack(cells, axis=1)
