"""Posterior evidence of the finalists' fresh seeds, and the one-standard-error rule that picks the winner from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pegbox.analysis.finalist_result import LEVEL
from pegbox.analysis.posterior import mean_draws
from pegbox.analysis.replicates import Array, Replicates

MIN_SAVING = 0.2
"""A tie is preferred to the best mean if it costs less by at least this share; less is not worth a worse mean. Picked
by hand."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the fresh seeds say.

    Attributes:
        draws: Posterior draws of the true mean losses, shape (n_draws, n_finalists).
        estimates: Posterior mean losses, shape (n_finalists,).
        chances: Probability of being the best of those that may win, shape (n_finalists,); 0 for the others.
        eligible: Positions of the finalists that may win, because they keep the constraints.
        knows_spread: False where no finalist has two values, so that nothing can be told apart.
    """

    replicates: Replicates
    draws: Array
    estimates: Array
    chances: Array
    eligible: tuple[int, ...]
    knows_spread: bool

    def chance(self, position: int) -> float | None:
        """Probability of a finalist to be the best; None for one that has no other to beat."""
        return None if self.eligible == (position,) else float(self.chances[position])

    @property
    def order(self) -> list[int]:
        """Positions of the finalists, best estimate first."""
        return [int(position) for position in np.argsort(self.estimates, kind="stable")]


@dataclass(frozen=True, slots=True)
class Choice:
    """Positions of the best estimate, of the winner, and of those that cannot be told from the winner."""

    leader: int
    winner: int
    ties: tuple[int, ...]


def weigh(replicates: Replicates, eligible: Sequence[int]) -> Evidence:
    """The posterior of the finalists.

    Args:
        eligible: Positions of those that may win, at least one; the others tell how noisy training is.
    """
    draws = mean_draws(replicates)
    knows_spread = bool((replicates.counts > 1).any())
    chances = np.zeros(len(replicates.trials))
    chances[list(eligible)] = probability_best(draws[:, list(eligible)]) if knows_spread else 1 / len(eligible)
    return Evidence(replicates, draws, np.asarray(draws.mean(axis=0)), chances, tuple(eligible), knows_spread)


def probability_best(draws: Array) -> Array:
    """Share of the draws in which each finalist is best, shape (n_finalists,); equal draws share their win."""
    wins = draws == draws.min(axis=1, keepdims=True)
    return np.asarray((wins / wins.sum(axis=1, keepdims=True)).mean(axis=0), dtype=float)


def pick(evidence: Evidence, known: int | None = None) -> Choice:
    """The winner among the finalists.

    Of the finalists that may win, the one with the best posterior mean is the leader. Those that it does not beat with
    a probability of 95 % are ties. Among the ties within one standard error of the leader the cheapest wins, if it
    saves at least a fifth of the leader's cost; otherwise the leader wins.

    Args:
        known: Position of a finalist that wins wherever it is among the ties: it was there before the search, which is
            always lucky, and nobody has to be shown that it does.

    Source: Breiman, Friedman, Olshen & Stone 1984, sec. 3.4.3 (the one-standard-error rule).
    """
    leader = next(position for position in evidence.order if position in evidence.eligible)
    tied = _not_beaten(evidence, leader)
    if known is not None and known in tied:
        return _chosen(evidence, leader, known, tied)
    costs = evidence.replicates.costs
    ceiling = evidence.estimates[leader] + evidence.draws[:, leader].std()
    cheap = [
        position
        for position in tied
        if evidence.estimates[position] <= ceiling and costs[position] <= (1 - MIN_SAVING) * costs[leader]
    ]
    # Without a spread every finalist is a tie, and the rule would hand out the cheapest, however bad.
    if not evidence.knows_spread or not cheap:
        return Choice(leader, leader, tied)
    winner = min(cheap, key=lambda position: (costs[position], evidence.estimates[position]))
    return _chosen(evidence, leader, winner, tied)


def _chosen(evidence: Evidence, leader: int, winner: int, tied: tuple[int, ...]) -> Choice:
    # Of the leader and of the winner: a reader is told of everybody that either could be mistaken for.
    ties = {leader, *tied, *_not_beaten(evidence, winner)} - {winner}
    return Choice(leader, winner, tuple(sorted(ties)))


def _not_beaten(evidence: Evidence, leader: int) -> tuple[int, ...]:
    beaten = (evidence.draws[:, [leader]] < evidence.draws).mean(axis=0)
    return tuple(
        position
        for position in evidence.eligible
        if position != leader and (beaten[position] < LEVEL or not evidence.knows_spread)
    )
