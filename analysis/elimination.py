"""Successive elimination of finalists: which fresh seeds they are trained on next; clear losers get no more."""

from collections.abc import Collection

import numpy as np

from pegbox.analysis.finalists import choose_finalists
from pegbox.analysis.joint_posterior import gather_jointly
from pegbox.analysis.pareto_fronts import dominated
from pegbox.analysis.unit_columns import Array
from pegbox.schemas.history import History
from pegbox.schemas.training_place import TrialSeed
from pegbox.schemas.trial import Trial
from pegbox.schemas.whole_time import finalists_round

FIRST_SEEDS = 3
"""Every finalist gets so many before any is judged: two tell hardly anything of a spread."""
HOPELESS = 0.01
"""A finalist is a clear loser if its probability to beat the leader (to be on the front) is below this.

Picked by hand. In `benchmarks/selection.py` the intervals keep their 95 % with it, and 23 of 25 seeds are trained.
"""


def next_replicates(history: History) -> tuple[TrialSeed, ...]:
    """The replicates to train now, all at the same time; empty where the finalists' round is over.

    Successive elimination: all finalists are trained on the first seeds; after that, one seed at a time, those that
    may still beat the leader, or with several objectives may still be on the front. A posterior may be read after
    every seed, so that stopping early biases nothing. Who gets a seed depends on the seeds before it alone: a round
    that was broken off goes on as it was begun.

    Raises:
        NoTrialSucceededError: No trial has a value.

    Source: Even-Dar, Mannor & Mansour 2006, with a posterior in place of Hoeffding's bound.
    """
    # Both from the search alone: were replicates heard, a round that was broken off would choose others.
    finalists = choose_finalists(history)
    n_seeds = finalists_round(history).seeds
    missing = _missing(finalists, range(min(FIRST_SEEDS, n_seeds)))
    seeds = iter(range(FIRST_SEEDS, n_seeds))
    while not missing and (seed := next(seeds, None)) is not None:
        if _missing(finalists, [seed]):
            missing = _missing(_contenders(history, finalists, seed), [seed])
    return missing


def _missing(trials: Collection[Trial], seeds: Collection[int]) -> tuple[TrialSeed, ...]:
    """Seeds without a value and without a failure."""
    done = {(trial.number, one.replicate) for trial in trials for one in trial.replicates}
    failed = {(trial.number, seed) for trial in trials for seed in trial.failed_replicates}
    return tuple(
        TrialSeed(trial=trial.number, replicate=seed)
        for seed in seeds
        for trial in trials
        if (trial.number, seed) not in done and (trial.number, seed) not in failed
    )


def _contenders(history: History, finalists: tuple[Trial, ...], n_seeds: int) -> tuple[Trial, ...]:
    """Finalists that may still win after so many seeds; one whose seeds all failed may not."""
    joint = gather_jointly(history, n_seeds)
    if not joint.trials:
        return ()
    chances = _chances(joint.draws())
    alive = {trial.number for trial, chance in zip(joint.trials, chances, strict=True) if chance >= HOPELESS}
    return tuple(trial for trial in finalists if trial.number in alive)


def _chances(draws: Array) -> Array:
    """Probability of each finalist to beat the leader, or to be on the front, shape (n_finalists,)."""
    if draws.shape[-1] > 1:
        return np.asarray((~dominated(draws)).mean(axis=0))
    losses = draws[..., 0]
    leader = int(np.argmin(losses.mean(axis=0)))
    return np.asarray((losses <= losses[:, [leader]]).mean(axis=0))
