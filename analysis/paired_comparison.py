"""Compares two settings, or one on two states of its data, by the noise of rows and seeds; trains nothing."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from pegbox.schemas.base import Schema
from pegbox.schemas.plan import Objective
from pegbox.schemas.row_losses import RowLosses
from pegbox.schemas.selection import Interval
from pegbox.schemas.trial import Trial

LEVEL = 0.95
"""That of every other interval; a promotion that was luck is looked at again at the next change of the data."""


@dataclass(frozen=True)
class TrialLosses:
    """What a trial lost.

    Attributes:
        by_seed: The number of a fresh seed to its loss.
        rows: The number of a fresh seed to its losses on each row, less is better; empty where nobody knows them.
    """

    by_seed: Mapping[int, float]
    rows: Mapping[int, RowLosses] = field(default_factory=dict)


class Paired(Schema):
    """The difference in loss, second minus first, over common seeds; below 0 the second is better."""

    n_pairs: int
    """Common seeds."""
    mean: float | None = None
    """Mean difference; None without a pair."""
    interval: Interval | None = None
    """Of the mean difference; None where nothing tells how much of it is noise."""
    n_rows: int = 0
    """On which the second was measured, where losses of rows are known."""
    same_rows: bool = False
    """True where both were measured on the same ones."""

    def is_worse(self, tolerance: float = 0.0) -> bool:
        """True if the second is credibly worse by more than the tolerance; without an interval, if it is at all."""
        low = self.interval.low if self.interval else self.mean
        return low is None or low > tolerance

    def is_better(self) -> bool:
        """True if the second is credibly better; without an interval, if it is at all."""
        high = self.interval.high if self.interval else self.mean
        return high is not None and high < 0


@dataclass(frozen=True)
class _Noise:
    """One part of the variance of a mean difference."""

    variance: float
    freedom: float


def compare_losses(first: TrialLosses, second: TrialLosses) -> Paired:
    """Compare two trials that were trained on the same seeds.

    The interval is Student's, of the variance that rows and seeds add to the mean difference:

        V = V_rows + s^2_seeds / S

    with the spread of the differences over S seeds. Where both were measured on the same rows, V_rows is the variance
    of the row's differences over their number n. Elsewhere each side adds s^2_rows (1/n + 1/n_train): the second part
    is the choice of rows that the model learned from, which is another one whenever the data is drawn again. Where
    losses of rows are not known, seeds alone are counted, which is too little for data that was drawn again.

    Args:
        first: Seeds and rows of the first.
        second: Seeds that only one of them has are left out.

    Source: Student 1908; degrees of freedom: Satterthwaite 1946; 1/n_train: Nadeau & Bengio 2003, section 5; on
    the noise of seeds beside that of data: Bouthillier et al. 2021.

    >>> compare_losses(TrialLosses({0: 1.0, 1: 2.0, 2: 3.0}), TrialLosses({0: 0.5, 1: 1.4, 2: 2.6})).is_better()
    True
    """
    seeds = sorted(set(first.by_seed) & set(second.by_seed))
    if not seeds:
        return Paired(n_pairs=0)
    differences = np.array([second.by_seed[seed] - first.by_seed[seed] for seed in seeds])
    mean = float(differences.mean())
    parts = _noise_of_seeds(differences)
    rows = [seed for seed in seeds if seed in first.rows and seed in second.rows]
    if not rows:
        return Paired(n_pairs=len(seeds), mean=mean, interval=_interval(mean, parts))
    before, after = [first.rows[seed] for seed in rows], [second.rows[seed] for seed in rows]
    same_rows = all(one.data == other.data for one, other in zip(before, after, strict=True))
    parts += _noise_of_same_rows(before, after) if same_rows else [_noise_of_rows(before), _noise_of_rows(after)]
    interval = _interval(mean, parts)
    return Paired(n_pairs=len(seeds), mean=mean, interval=interval, n_rows=after[0].n_rows, same_rows=same_rows)


def compare_fixed_models(before: TrialLosses, after: TrialLosses) -> Paired:
    """Compare what the same models lose on two draws of rows, none of which they learned from.

    Nothing is trained in between, so that the rows alone are noise, and the stated rate of false alarms holds however
    much a model depends on the rows that it happens to learn from (a deep tree does so very much).
    """
    return compare_losses(_as_fixed(before), _as_fixed(after))


def _as_fixed(losses: TrialLosses) -> TrialLosses:
    endless = sys.maxsize  # of rows to learn from: their choice is no noise
    return TrialLosses(losses.by_seed, {seed: replace(one, n_train=endless) for seed, one in losses.rows.items()})


def has_fallen(retrained: Paired, earlier_models: Paired | None, tolerance: float = 0.0) -> bool:
    """True if a setting is credibly worse on new data.

    Trained again it must be worse than it was, and so must its earlier models be on the new rows, where that is known:
    data drawn again lets the second happen in 2.5 % of all cases, whatever the first does.

    Args:
        retrained: The setting trained again on the new data, against what it was.
        earlier_models: From `compare_fixed_models`; None where it is not known.
        tolerance: In units of the loss.
    """
    return retrained.is_worse(tolerance) and (earlier_models is None or earlier_models.is_worse(tolerance))


def _noise_of_seeds(differences: npt.NDArray[np.float64]) -> list[_Noise]:
    n_seeds = len(differences)
    return [_Noise(float(differences.var(ddof=1)) / n_seeds, n_seeds - 1)] if n_seeds > 1 else []


def _noise_of_same_rows(before: Sequence[RowLosses], after: Sequence[RowLosses]) -> list[_Noise]:
    values = np.mean([two.values - one.values for one, two in zip(before, after, strict=True)], axis=0)
    return [_Noise(spread_over_rows(values) / len(values), len(values) - 1)]


def _noise_of_rows(measured: Sequence[RowLosses]) -> _Noise:
    values = np.mean([one.values for one in measured], axis=0)
    # Pseudo-values of groups stand for more rows than there are of them.
    share = 1 + measured[0].n_rows / measured[0].n_train
    return _Noise(spread_over_rows(values) / len(values) * share, len(values) - 1)


def spread_over_rows(values: npt.NDArray[np.float64]) -> float:
    """Variance over rows; of hits and misses at least that of one more of each, so that no error is no certainty.

    Source: Agresti & Caffo 2000.
    """
    variance = float(values.var(ddof=1)) if len(values) > 1 else 0.0
    if not np.isin(np.abs(values), (0.0, 1.0)).all():
        return variance
    share = (np.abs(values).sum() + 1) / (len(values) + 2)
    return max(variance, float(share * (1 - share)))


def _interval(mean: float, parts: Sequence[_Noise]) -> Interval | None:
    """Student's interval; None where there is no noise to be seen, which is not the same as none."""
    from scipy.stats import t  # takes a second to load

    variance = sum(part.variance for part in parts)
    if variance <= 0:
        return None
    freedom = variance**2 / sum(part.variance**2 / part.freedom for part in parts if part.variance)
    half = float(t.ppf((1 + LEVEL) / 2, freedom) * np.sqrt(variance))
    return Interval(low=mean - half, high=mean + half, level=LEVEL)


def losses_by_seed(trial: Trial, objective: Objective) -> dict[int, float]:
    """The losses of a trial on fresh seeds, by the number of the seed."""
    return {
        one.replicate: objective.loss(one.metrics[objective.metric])
        for one in trial.replicates
        if one.replicate is not None and objective.metric in one.metrics
    }
