"""The finalists' values on fresh seeds as one table of losses; what follows from them is `selection`'s matter."""

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pegbox.schemas.history import History
from pegbox.schemas.plan import Objective
from pegbox.schemas.trial import Trial

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Replicates:
    """Finalists by fresh seeds.

    Attributes:
        trials: The finalists with at least one value, by number.
        losses: Shape (n_finalists, n_seeds), small is good; NaN where a seed failed or was not trained. A column is
            one seed, common to all finalists.
        seconds: Shape (n_finalists,), mean training time.
    """

    trials: tuple[Trial, ...]
    losses: Array
    seconds: Array

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """Values of each finalist, shape (n_finalists,)."""
        return np.asarray(np.isfinite(self.losses).sum(axis=1))

    @property
    def means(self) -> Array:
        """Mean loss of each finalist, shape (n_finalists,)."""
        return np.asarray(np.nanmean(self.losses, axis=1), dtype=float)

    def rng(self) -> np.random.Generator:
        """Random numbers that depend on the values alone, so that an answer can be computed again."""
        digest = hashlib.sha256(np.ascontiguousarray(self.losses).tobytes()).digest()
        return np.random.default_rng(np.frombuffer(digest, dtype=np.uint32))


def gather_replicates(history: History, objective: Objective) -> Replicates:
    """Every trial that has a value on a fresh seed; trials whose replicates all failed are left out."""
    values = {trial.number: _by_seed(trial, objective) for trial in history.trials}
    trials = tuple(trial for trial in history.trials if values[trial.number])
    seeds = sorted({seed for trial in trials for seed in values[trial.number]})
    losses = [[values[trial.number].get(seed, np.nan) for seed in seeds] for trial in trials]
    seconds = [float(np.mean([one.seconds for one in trial.replicates])) for trial in trials]
    return Replicates(trials, np.array(losses, dtype=float).reshape(len(trials), len(seeds)), np.array(seconds))


def _by_seed(trial: Trial, objective: Objective) -> dict[int, float]:
    return {
        evaluation.replicate: objective.loss(evaluation.metrics[objective.metric])
        for evaluation in trial.replicates
        if evaluation.replicate is not None and objective.metric in evaluation.metrics
    }
