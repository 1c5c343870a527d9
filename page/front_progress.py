"""How the Pareto front of several objectives grew, by its hypervolume, trial by trial; reads no store."""

from collections.abc import Sequence

import numpy as np

from pegbox.analysis.pareto_fronts import hypervolume
from pegbox.schemas.plan import Objective

MOST_STEPS = 150
"""Of the trials that moved the front, so many are measured; the last one always is."""


def hypervolume_so_far(values: Sequence[Sequence[float]], goals: Sequence[Objective]) -> list[tuple[int, float]]:
    """After which trials the front covered more, and how much.

    Args:
        values: One row for each trial, in the order in which they ended, with a value for each objective.
        goals: The objectives.

    Returns:
        Row and share of the box from the best to the worst value of each objective; nothing where an objective has a
        single value, because there is no box then.

    >>> goals = (Objective(metric="loss"), Objective(metric="accuracy", goal="maximize"))
    >>> hypervolume_so_far([(1.0, 0.0), (0.5, 0.5), (0.6, 0.4), (0.0, 1.0)], goals)
    [(0, 0.0), (1, 0.25), (3, 1.0)]
    """
    losses = np.array(values, dtype=float).reshape(len(values), len(goals))
    # Minimised from here on: a maximised objective changes its sign.
    losses *= [goal.loss(1.0) for goal in goals]
    if not len(losses) or not (np.ptp(losses, axis=0) > 0).all():
        return []
    # To the unit box, because a volume in units of loss times seconds would follow whoever has the larger numbers.
    scaled = (losses - losses.min(axis=0)) / np.ptp(losses, axis=0)
    front, fronts = scaled[:0], []
    for row, candidate in enumerate(scaled):
        # Kept as a running front and not by comparing all pairs, which is quadratic in the trials (benchmarks/page.py
        # has 100,000).
        if not (front <= candidate).all(axis=1).any():
            front = np.vstack([front[~(candidate <= front).all(axis=1)], candidate])
            fronts.append((row, front))
    # From the end backwards, so that the front as it stands is always measured; the exact hypervolume is the dear part.
    stride = -(-len(fronts) // MOST_STEPS)
    return [(row, hypervolume(one, np.ones(len(goals)))) for row, one in fronts[::-stride][::-1]]
