"""Target leakage: a single column that all but gives the target away; accuracy or R² of that column, no model."""

from collections.abc import Callable
from typing import Any

import numpy as np

from pegbox.datasets.column_types import Codes, Floats
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
    # Of a fixed seed: the warning of one file must not come and go.
    rows = np.random.default_rng(0).permutation(rows)[:n_rows]
    half = len(rows) // 2
    target: Any = frame.target.values[rows]
    guess: Callable[[Codes, Any, int], Any] = _frequent if frame.target.classes else _mean
    score: Callable[[Any, Any], float] = _accuracy if frame.target.classes else _explained
    baseline = score(
        np.broadcast_to(guess(np.zeros(len(rows), np.int64), target, half), len(rows) - half), target[half:]
    )
    found = []
    for i, name in enumerate(frame.categorical_names):
        found.append((name, score(guess(frame.codes[rows, i], target, half), target[half:])))
    for i, name in enumerate(frame.numeric_names):
        guesses = (
            guess(_bins(frame.numeric[rows, i], half), target, half),
            # Beside bins: a copy of the target with a little noise is told by its nearest neighbour, and lost in 32
            # bins of a target with more levels.
            _nearest(frame.numeric[rows, i], target, half),
        )
        found.append((name, max(score(one, target[half:]) for one in guesses)))
    leaks = [Leak(column=name, score=one, baseline=max(baseline, 0.0)) for name, one in found]
    return tuple(sorted(filter(_is_suspicious, leaks), key=lambda leak: -leak.score))


def _is_suspicious(leak: Leak) -> bool:
    """True where a column tells nearly all that no column tells."""
    return leak.score - leak.baseline >= SUSPICIOUS * (1 - leak.baseline) > 0


def _bins(numbers: Floats, half: int) -> Codes:
    """Which of a few ranges each number lies in; a missing one has a bin of its own."""
    present = numbers[~np.isnan(numbers)]
    distinct = np.unique(present)
    n_bins = min(N_BINS, max(half // 10, 2))
    if len(distinct) > n_bins:
        distinct = np.unique(np.quantile(present, np.linspace(0, 1, n_bins + 1)))[1:]
    return np.where(np.isnan(numbers), 0, 1 + np.searchsorted(distinct, numbers))


def _nearest(numbers: Floats, target: Any, half: int) -> Any:
    """For each later row the target of the earlier one whose number is nearest; a missing one counts as zero."""
    known = np.nan_to_num(numbers)
    order = np.argsort(known[:half], kind="stable")
    ordered, later = known[:half][order], known[half:]
    right = np.clip(np.searchsorted(ordered, later), 1, half - 1)
    is_left = later - ordered[right - 1] < ordered[right] - later
    return target[:half][order][right - is_left]


def _frequent(bins: Codes, target: Codes, half: int) -> Codes:
    """For each later row the most frequent class of its bin among the earlier ones."""
    counts = np.zeros((int(bins.max()) + 1, int(target.max()) + 1))
    np.add.at(counts, (bins[:half], target[:half]), 1)
    best = np.where(counts.any(axis=1), counts.argmax(axis=1), counts.sum(axis=0).argmax())
    return np.asarray(best[bins[half:]])


def _mean(bins: Codes, target: Floats, half: int) -> Floats:
    """For each later row the mean of its bin among the earlier ones."""
    n_bins = int(bins.max()) + 1
    counts, mean = np.bincount(bins[:half], minlength=n_bins), float(target[:half].mean())
    sums = np.bincount(bins[:half], weights=target[:half] - mean, minlength=n_bins)
    return np.asarray((mean + sums / np.maximum(counts, 1))[bins[half:]])


def _accuracy(guess: Codes, target: Codes) -> float:
    return float((guess == target).mean())


def _explained(guess: Floats, target: Floats) -> float:
    """Share of the variance, at best 1."""
    spread = float(((target - target.mean()) ** 2).mean())
    return 1 - float(((target - guess) ** 2).mean()) / spread if spread > 0 else 0.0
