"""One finalist as the answer shows it, with what its fresh seeds say; compares no finalists."""

import numpy as np

from pegbox.analysis.replicates import Array, Replicates
from pegbox.schemas.history import History
from pegbox.schemas.selection import Finalist, Interval

LEVEL = 0.95
"""Of every interval and of "cannot be told apart": one level, so that what is told as sure means the same."""


def finalist_result(
    history: History, replicates: Replicates, position: int, draws: Array, chance: float | None
) -> Finalist:
    """A finalist of the first objective.

    Args:
        replicates: Values of the first objective.
        position: Of the finalist among them.
        draws: Of its true mean loss, shape (n_draws,); one draw where no spread is known.
        chance: Its probability of being the best, or of being on the front; None where there is nothing to beat.
    """
    objective, trial = history.objectives[0], replicates.trials[position]
    losses = replicates.losses[position]
    values = np.array([objective.loss(loss) for loss in losses[np.isfinite(losses)]])
    search_value = trial.value(objective.metric)
    measured = {one.metric: trial.measured(one.metric) for one in history.spec.constraints}
    return Finalist(
        trial=trial.number,
        configuration=trial.configuration,
        search_value=float(values.mean()) if search_value is None else search_value,
        values=tuple(values.tolist()),
        n_failed=len(trial.failed_replicates),
        mean=float(values.mean()),
        estimate=objective.loss(float(draws.mean())),
        interval=interval_of(objective.loss(1.0) * draws),
        probability_best=None if chance is None else min(chance, 1.0),
        constrained={name: value for name, value in measured.items() if value is not None},
        is_feasible=history.is_feasible(trial),
    )


def interval_of(draws: Array) -> Interval | None:
    """The interval of all but the outermost draws; None where no spread is known."""
    if len(draws) < 2:
        return None
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(low=float(low), high=float(high), level=LEVEL)
