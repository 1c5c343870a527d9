"""Which parameters tell good trials from the others: importance by a divergence of densities; needs no surrogate.

    v_p = E_x (P(top | x_p) / P(top) - 1)^2

is the main effect of the claim "among the best", x_p uniform over the declared space or (local) spread as in the better
half. What chance alone would give is measured by shuffling the trials, and taken off.

Source: Watanabe, Bansal & Hutter 2023 (PED-ANOVA).
"""

from dataclasses import dataclass

import numpy as np

from pegbox.analysis.unit_columns import Array, Cells, Column, Table

TOP = 0.1
"""Share of the trials that count as the best; the paper's gamma. Picked by hand."""
BASE = 0.5
"""Share of the trials that count as good, for the local form. Picked by hand: what most searches reach soon."""
MIN_TOP = 5
"""A density of fewer is a few bumps; picked by hand."""
N_SHUFFLES = 20
"""For the mean of what chance gives, whose error is then a fifth of one shuffle's spread; picked by hand."""


@dataclass(frozen=True)
class Divergences:
    """Importance of each column, each of shape (n_columns,) and adding up to 1, or all 0.

    Attributes:
        everywhere: Over the declared space: what tells the best from the rest.
        among_good: Within the better half: what tells the best from the merely good.
    """

    everywhere: Array
    among_good: Array


def divergences(table: Table, losses: Array, rng: np.random.Generator) -> Divergences:
    """Importance of every column by what the best trials have in common.

    Args:
        losses: Shape (n_trials,), finite.
    """
    cells = table.cells()[np.argsort(losses, kind="stable")]
    n_top = min(max(round(TOP * len(cells)), MIN_TOP), len(cells))
    n_base = max(round(BASE * len(cells)), n_top)
    every = [_effect(column, cells[:, at], n_top, True, rng) for at, column in enumerate(table.columns)]
    good = [_effect(column, cells[:n_base, at], n_top, False, rng) for at, column in enumerate(table.columns)]
    return Divergences(_shares(np.array(every)), _shares(np.array(good)))


def _shares(effects: Array) -> Array:
    total = effects.sum()
    return effects / total if total > 0 else effects


def _effect(column: Column, cells: Cells, n_top: int, uniform: bool, rng: np.random.Generator) -> float:
    """The effect in one column, whose trials come best first; inactive trials are left out and count as no effect."""
    n_active = int((cells >= 0).sum())
    if n_active < 2:
        return 0.0
    kernel = _smooth(column, n_active)
    base = _count(cells, column) @ kernel
    tops = [cells[:n_top], *(cells[rng.permutation(len(cells))[:n_top]] for _ in range(N_SHUFFLES))]
    share = n_top / len(cells)
    # One trial of the prior share is added to each cell: where nobody looked, the ratio is 1 and not 0 / 0.
    ratio = (np.array([_count(top, column) for top in tops]) @ kernel + share) / (base + 1) / share
    measure = column.weights if uniform else base / base.sum()
    spread = ((ratio - 1) ** 2 @ measure) * n_active / len(cells)
    return max(float(spread[0] - spread[1:].mean()), 0.0)


def _count(cells: Cells, column: Column) -> Array:
    return np.bincount(cells[cells >= 0], minlength=column.n_cells).astype(float)


def _smooth(column: Column, n_trials: int) -> Array:
    """How much a trial in one cell counts for every cell, shape (n_cells, n_cells); rows add up to 1."""
    if not column.is_ordered:
        return np.eye(column.n_cells)
    centres = (column.edges[:-1] + column.edges[1:]) / 2
    bandwidth = 0.29 * n_trials ** (-1 / 5)  # Scott's rule for a uniform density
    kernel = np.exp(-0.5 * ((centres[:, None] - centres) / bandwidth) ** 2) * column.weights
    return np.asarray(kernel / kernel.sum(axis=1, keepdims=True))
