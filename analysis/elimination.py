"""Which fresh seeds the finalists are trained on next; clear losers get no more of them. Trains nothing."""

from collections.abc import Collection

import numpy as np

from pegbox.analysis.finalists import choose_finalists
from pegbox.analysis.posterior import mean_draws
from pegbox.analysis.replicates import Replicates, gather_replicates
from pegbox.schemas.history import History
from pegbox.schemas.trial import Trial

FIRST_SEEDS = 3
"""Every finalist gets so many before any is judged."""
HOPELESS = 0.01
"""A finalist is a clear loser if its probability to beat the leader is below this."""

Replicate = tuple[int, int]
"""A trial number and the index of a fresh seed."""


def next_replicates(history: History, failed: Collection[Replicate] = ()) -> tuple[Replicate, ...]:
    """The replicates to train now, all at the same time; empty where the finalists' round is over.

    Successive elimination: all finalists are trained on the first seeds; after that, one seed at a time, those that
    may still beat the leader (with several objectives: all). A posterior may be read after every seed, so that
    stopping early biases nothing.

    Args:
        failed: Replicates that were tried and have no value; the history keeps none of them.

    Raises:
        NoTrialSucceededError: No trial has a value.

    Source: Even-Dar, Mannor & Mansour 2006, with a posterior in place of Hoeffding's bound.
    """
    finalists = choose_finalists(history)
    n_seeds = history.spec.finalists.seeds
    done = {(trial.number, one.replicate) for trial in finalists for one in trial.replicates} | set(failed)
    missing = _missing(finalists, range(min(FIRST_SEEDS, n_seeds)), done)
    if missing:
        return missing
    contenders = finalists
    if len(history.objectives) == 1:
        contenders = _contenders(finalists, gather_replicates(history, history.objectives[0]))
    for seed in range(FIRST_SEEDS, n_seeds):
        missing = _missing(contenders, [seed], done)
        if missing:
            return missing
    return ()


def _missing(
    trials: Collection[Trial], seeds: Collection[int], done: Collection[tuple[int, int | None]]
) -> tuple[Replicate, ...]:
    return tuple((trial.number, seed) for seed in seeds for trial in trials if (trial.number, seed) not in done)


def _contenders(finalists: tuple[Trial, ...], replicates: Replicates) -> tuple[Trial, ...]:
    """Finalists that may still win; one whose first seeds all failed may not."""
    if not replicates.trials:
        return ()
    draws = mean_draws(replicates)
    leader = int(np.argmin(draws.mean(axis=0)))
    beats = (draws <= draws[:, [leader]]).mean(axis=0)
    alive = {trial.number for trial, chance in zip(replicates.trials, beats, strict=True) if chance >= HOPELESS}
    return tuple(trial for trial in finalists if trial.number in alive)
