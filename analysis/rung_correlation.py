"""Whether low rungs say what the full budget will: rank correlation of the values at different budgets."""

from itertools import combinations

import numpy as np
from pydantic import Field

from pegbox.schemas.base import Schema
from pegbox.schemas.history import History

MIN_SHARED = 5
"""Fewer trials that reached both rungs say nothing about their order."""


class RungCorrelation(Schema):
    """How alike two rungs rank the trials that reached both."""

    low: int
    """The lower budget."""
    high: int
    """The higher budget."""
    n_trials: int
    spearman: float = Field(ge=-1, le=1)
    """1 for the same order. Only trials that were promoted reach both, which makes it smaller than it is for all."""


def rung_correlations(history: History, objective: int = 0) -> tuple[RungCorrelation, ...]:
    """Spearman's correlation of each two rungs that at least five trials reached; empty without several rungs."""
    metric = history.objectives[objective].metric
    values = {
        trial.number: {one.budget: one.metrics[metric] for one in trial.evaluations if metric in one.metrics}
        for trial in history.trials
    }
    rungs = sorted({budget for by_budget in values.values() for budget in by_budget})
    if len(rungs) < 2:
        return ()
    from scipy.stats import spearmanr  # takes a second to load: not for studies without rungs, which readers open too

    found = []
    for low, high in combinations(rungs, 2):
        both = np.array([(one[low], one[high]) for one in values.values() if low in one and high in one])
        # Where one rung has the same value for all there are no ranks, and scipy warns and returns NaN.
        if len(both) >= MIN_SHARED and np.ptp(both, axis=0).all():
            spearman = float(np.clip(spearmanr(both[:, 0], both[:, 1]).statistic, -1, 1))
            found.append(RungCorrelation(low=low, high=high, n_trials=len(both), spearman=spearman))
    return tuple(found)
