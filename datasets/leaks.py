"""Target leakage: a single column that all but gives the target away; a share of rows or of variance told, no model."""

from typing import Any

import numpy as np

from pegbox.datasets.columns import Codes, Floats
from pegbox.datasets.frame import Frame
from pegbox.datasets.target import Rows
from pegbox.schemas.understanding import Leak

MOST_ROWS = 20_000
"""That are looked at; a leak shows in fewer."""
MOST_CELLS = 5_000_000
"""Of rows times columns: a wide table gets fewer rows, so that looking takes a second or so."""
N_BINS = 32
"""Into which a column of numbers is cut, by rank; a tenth of the rows at most, so that no bin is a row's own."""
SUSPICIOUS = 0.97
"""Share of what no column tells from which one column alone is named; picked by hand: single honest columns of public
tables stay below 0.9."""
FEWEST_ROWS = 100
"""Below which a good column may tell all by luck."""


def find_leaks(frame: Frame, rows: Rows) -> tuple[Leak, ...]:
    """The columns that tell nearly all of the target alone, the most telling first.

    Half of the training rows say what each level or bin stands for, the other half how often that is true: a column of
    many levels tells its own rows by heart.
    """
    if len(rows) < FEWEST_ROWS:
        return ()
    n_columns = max(1, len(frame.numeric_names) + len(frame.categorical_names))
    n_rows = min(MOST_ROWS, max(FEWEST_ROWS, MOST_CELLS // n_columns))
    rows = np.random.default_rng(0).permutation(rows)[:n_rows]
    half = len(rows) // 2
    told = [
        *((name, _bins(frame.numeric[rows, i], half)) for i, name in enumerate(frame.numeric_names)),
        *((name, frame.codes[rows, i]) for i, name in enumerate(frame.categorical_names)),
    ]
    score = _class_score if frame.target.classes else _variance_score
    target: Any = frame.target.values[rows]
    scores = ((name, score(bins, target, half)) for name, bins in told)
    found = [Leak(column=name, score=one, baseline=nothing) for name, (one, nothing) in scores]
    suspects = [leak for leak in found if _share(leak) >= SUSPICIOUS]
    return tuple(sorted(suspects, key=lambda leak: -leak.score))


def _share(leak: Leak) -> float:
    """Of what no column tells, how much this one does."""
    return (leak.score - leak.baseline) / (1 - leak.baseline) if leak.baseline < 1 else 0.0


def _bins(numbers: Floats, half: int) -> Codes:
    """Which of a few ranges each number lies in; a missing one has a bin of its own."""
    present = numbers[~np.isnan(numbers)]
    distinct = np.unique(present)
    n_bins = min(N_BINS, max(half // 10, 2))
    if len(distinct) > n_bins:
        distinct = np.unique(np.quantile(present, np.linspace(0, 1, n_bins + 1)))[1:]
    return np.where(np.isnan(numbers), 0, 1 + np.searchsorted(distinct, numbers))


def _class_score(bins: Codes, target: Codes, half: int) -> tuple[float, float]:
    """Accuracy on the second half of the most frequent class of each bin in the first, and of the most frequent."""
    n_classes = int(target.max()) + 1
    counts = np.zeros((int(bins.max()) + 1, n_classes))
    np.add.at(counts, (bins[:half], target[:half]), 1)
    overall = counts.sum(axis=0)
    guess = np.where(counts.any(axis=1), counts.argmax(axis=1), overall.argmax())
    later = target[half:]
    return float((guess[bins[half:]] == later).mean()), float((later == np.bincount(later).argmax()).mean())


def _variance_score(bins: Codes, target: Floats, half: int) -> tuple[float, float]:
    """Share of the second half's variance that the means of the bins in the first explain, at best 1; and nothing."""
    n_bins = int(bins.max()) + 1
    counts = np.bincount(bins[:half], minlength=n_bins)
    mean = float(target[:half].mean())
    sums = np.bincount(bins[:half], weights=target[:half] - mean, minlength=n_bins)
    guess = mean + sums / np.maximum(counts, 1)
    later = target[half:]
    spread = float(((later - later.mean()) ** 2).mean())
    error = float(((later - guess[bins[half:]]) ** 2).mean())
    return (1 - error / spread if spread > 0 else 0.0), 0.0
