"""Replicates, the finalists' values on fresh seeds, as one table of losses; `selection` draws conclusions from them."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pegbox.analysis.ranking import held
from pegbox.schemas.history import History
from pegbox.schemas.plan import Objective
from pegbox.schemas.selection import RowNoise
from pegbox.schemas.trial import Trial

Array = npt.NDArray[np.float64]

COST_METRICS = ("cost", "parameters")
"""What a finalist costs: what training says it costs, or the number of the model's weights."""


@dataclass(frozen=True, slots=True)
class Replicates:
    """Finalists by fresh seeds.

    Attributes:
        trials: The finalists with at least one value, by number.
        losses: Shape (n_finalists, n_seeds), small is good; NaN where a seed failed or was not trained. A column is
            one seed, common to all finalists.
        costs: Shape (n_finalists,), means of the first of `COST_METRICS` that all replicates report; ones where there
            is none. Never the clock: a study that is resumed must come to the same answer.
        priced_by: That metric; None where there is none.
        rows: The noise of the validation rows in the mean losses; None where it is not known of all of them.
    """

    trials: tuple[Trial, ...]
    losses: Array
    costs: Array
    priced_by: str | None = None
    rows: RowNoise | None = None

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """Values of each finalist, shape (n_finalists,)."""
        return np.asarray(np.isfinite(self.losses).sum(axis=1))

    @property
    def means(self) -> Array:
        """Mean loss of each finalist, shape (n_finalists,)."""
        return np.asarray(np.nanmean(self.losses, axis=1), dtype=float)

    @property
    def row_covariance(self) -> Array | None:
        """Of the mean losses over draws of the rows, shape (n_finalists, n_finalists); None where no noise is known."""
        if self.rows is None:
            return None
        at = [self.rows.trials.index(trial.number) for trial in self.trials]
        covariance = np.array(self.rows.covariance)[np.ix_(at, at)]
        return covariance if covariance.any() else None

    def rng(self) -> np.random.Generator:
        """Random numbers that depend on the values alone, so that an answer can be computed again."""
        digest = hashlib.sha256(np.ascontiguousarray(self.losses).tobytes()).digest()
        return np.random.default_rng(np.frombuffer(digest, dtype=np.uint32))


def gather_replicates(
    history: History, objective: Objective, n_seeds: int | None = None, rows: RowNoise | None = None
) -> Replicates:
    """Every trial that has a value on a fresh seed; trials whose replicates all failed are left out.

    Args:
        n_seeds: Only the first so many seeds.
        rows: The noise of the rows in the losses of this objective.
    """
    values = {trial.number: _by_seed(trial, objective, n_seeds) for trial in history.trials}
    trials = tuple(trial for trial in history.trials if values[trial.number])
    seeds = sorted({seed for trial in trials for seed in values[trial.number]})
    losses = [[values[trial.number].get(seed, np.nan) for seed in seeds] for trial in trials]
    everything = [one.metrics for trial in trials for one in trial.replicates]
    # The first that all report: costs of which some are euros and others weights could not be compared.
    priced_by = next((name for name in COST_METRICS if all(name in metrics for metrics in everything)), None)
    return Replicates(
        trials=trials,
        losses=np.array(losses, dtype=float).reshape(len(trials), len(seeds)),
        costs=np.array([_mean_cost(trial, priced_by) for trial in trials]),
        priced_by=priced_by,
        rows=rows if rows is not None and {trial.number for trial in trials} <= set(rows.trials) else None,
    )


def restrict(replicates: Replicates, numbers: Collection[int]) -> Replicates:
    """The same table for some of its trials."""
    rows = [row for row, trial in enumerate(replicates.trials) if trial.number in numbers]
    return replace(
        replicates,
        trials=tuple(replicates.trials[row] for row in rows),
        losses=replicates.losses[rows],
        costs=replicates.costs[rows],
    )


def _mean_cost(trial: Trial, priced_by: str | None) -> float:
    return 1.0 if priced_by is None else float(np.mean([one.metrics[priced_by] for one in trial.replicates]))


def _by_seed(trial: Trial, objective: Objective, n_seeds: int | None) -> dict[int, float]:
    return {
        evaluation.replicate: held(objective.loss(evaluation.metrics[objective.metric]))
        for evaluation in trial.replicates
        if evaluation.replicate is not None
        and (n_seeds is None or evaluation.replicate < n_seeds)
        and objective.metric in evaluation.metrics
    }
