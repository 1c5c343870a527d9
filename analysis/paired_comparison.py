"""Compares two settings on the seeds that both were trained on; trains nothing and decides nothing."""

from collections.abc import Mapping

import numpy as np

from pegbox.schemas.base import Schema
from pegbox.schemas.plan import Objective
from pegbox.schemas.selection import Interval
from pegbox.schemas.trial import Trial

LEVEL = 0.95
"""That of every other interval; a promotion that was luck is looked at again at the next change of the data."""


class Paired(Schema):
    """The difference in loss, second minus first, over common seeds; below 0 the second is better."""

    n_pairs: int
    mean: float | None = None
    """Mean difference; None without a pair."""
    interval: Interval | None = None
    """Student's interval of the mean difference; None with fewer than two pairs."""

    def is_worse(self, tolerance: float = 0.0) -> bool:
        """True if the second is credibly worse by more than the tolerance; with one pair, if it is at all."""
        low = self.interval.low if self.interval else self.mean
        return low is None or low > tolerance

    def is_better(self) -> bool:
        """True if the second is credibly better; with one pair, if it is at all."""
        high = self.interval.high if self.interval else self.mean
        return high is not None and high < 0


def compare_paired(first: Mapping[int, float], second: Mapping[int, float]) -> Paired:
    """Compare losses that were measured on the same seeds.

    Pairs cancel what a seed does to both: the interval is that of the differences, not of the two means.

    Args:
        first: Seed to loss.
        second: Seed to loss; seeds that only one of them has are left out.

    Source: Student 1908; for comparing trained models, Dietterich 1998, section 3.

    >>> compare_paired({0: 1.0, 1: 2.0, 2: 3.0}, {0: 0.5, 1: 1.4, 2: 2.6}).is_better()
    True
    """
    from scipy.stats import t  # takes a second to load

    seeds = sorted(set(first) & set(second))
    if not seeds:
        return Paired(n_pairs=0)
    differences = np.array([second[seed] - first[seed] for seed in seeds])
    mean = float(differences.mean())
    if len(seeds) == 1:
        return Paired(n_pairs=1, mean=mean)
    half = float(t.ppf((1 + LEVEL) / 2, len(seeds) - 1) * differences.std(ddof=1) / np.sqrt(len(seeds)))
    return Paired(n_pairs=len(seeds), mean=mean, interval=Interval(low=mean - half, high=mean + half, level=LEVEL))


def losses_by_seed(trial: Trial, objective: Objective) -> dict[int, float]:
    """The losses of a trial on fresh seeds, by the number of the seed."""
    return {
        one.replicate: objective.loss(one.metrics[objective.metric])
        for one in trial.replicates
        if one.replicate is not None and objective.metric in one.metrics
    }
