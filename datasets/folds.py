"""Cross-validation folds, and parts of given shares: at random, stratified by class, by group, or by time."""

import heapq
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from pegbox.datasets.column_types import Codes, Floats

Labels = npt.NDArray[np.intp]
"""For each row the place of its part in the shares, shape (n_rows,)."""

Split = Callable[[npt.NDArray[np.int64], Sequence[float]], Labels]
"""Assigns the given rows to parts; shares are positive and add up to 1."""


def stratified_folds(strata: Codes, shares: Sequence[float], rng: np.random.Generator) -> Labels:
    """Divide every stratum by the shares, at random within it; each part gets a row of each at least.

    What rounding takes from a part in one stratum it is given in the next, so that the parts as a whole keep their
    shares however many strata there are.

    Args:
        strata: Codes from 0 without holes, each held by as many rows as there are shares or more, shape (n_rows,).
    """
    order = np.lexsort((rng.random(len(strata)), strata))
    labels = np.empty(len(strata), dtype=np.intp)
    # The largest remainder method, carried over: without it a hundred small classes would each round against the same
    # part.
    owed = np.zeros(len(shares))
    start = 0
    for size in np.bincount(strata):
        want = size * np.asarray(shares) + owed
        counts = _whole_counts(want, size)
        labels[order[start : start + size]] = np.repeat(np.arange(len(shares)), counts)
        owed = want - counts
        start += size
    return labels


def _whole_counts(want: Floats, size: int) -> Codes:
    """Whole numbers >= 1 near `want` that add up to `size`."""
    counts = np.maximum(np.floor(want).astype(np.int64), 1)
    while counts.sum() < size:
        counts[np.argmax(want - counts)] += 1
    while counts.sum() > size:
        counts[np.argmin(np.where(counts > 1, want - counts, np.inf))] -= 1
    return counts


def group_folds(groups: Codes, strata: Codes, shares: Sequence[float], rng: np.random.Generator) -> Labels:
    """Keep each group in one part; every group goes where most is missing, the large ones first.

    A group belongs to the stratum that most of its rows belong to, and each stratum is divided by itself.

    Args:
        groups: Codes from 0 without holes, shape (n_rows,).
        strata: Codes from 0, shape (n_rows,).
    """
    sizes = np.bincount(groups)
    stratum = _most_common(groups, strata)
    # Groups of like size (by powers of two) are shuffled, so that the seed decides between them.
    order = np.lexsort((rng.random(len(sizes)), -np.floor(np.log2(sizes)), stratum))
    label_of = np.empty(len(sizes), dtype=np.intp)
    totals = [0.0] * len(shares)
    for members in np.split(order, np.flatnonzero(np.diff(stratum[order])) + 1):
        # The emptiest part of the stratum is first; of equal ones the emptiest as a whole, then the largest.
        # Greedy, the longest first (Graham 1969): no part exceeds its share by much more than one group. An exact
        # packing is NP-hard and would buy nothing that a split needs.
        heap = [(0.0, totals[part], -share, part) for part, share in enumerate(shares)]
        heapq.heapify(heap)
        for group, size in zip(members.tolist(), sizes[members].tolist(), strict=True):
            filled, _, _, part = heap[0]
            label_of[group] = part
            totals[part] += size / shares[part]
            heapq.heapreplace(heap, (filled + size / shares[part], totals[part], -shares[part], part))
    return label_of[groups]


def _most_common(groups: Codes, strata: Codes) -> Codes:
    """For each group the stratum of most of its rows; the lowest of equals."""
    n_strata = int(strata.max()) + 1
    pairs, counts = np.unique(groups * n_strata + strata, return_counts=True)
    order = np.lexsort((-(pairs % n_strata), counts))
    common = np.empty(int(groups.max()) + 1, dtype=np.int64)
    # Later assignments win, so each group keeps its most frequent pair.
    common[pairs[order] // n_strata] = pairs[order] % n_strata
    return common


def time_folds(times: Floats, shares: Sequence[float]) -> Labels:
    """The oldest rows go to the first part, the latest to the last; rows of one time stay together."""
    n = len(times)
    ordered = np.sort(times)
    labels = np.zeros(n, dtype=np.intp)
    for share in np.cumsum(shares)[:-1]:
        # At least one row on either side of a cut, however small the share.
        cut = min(max(round(float(share) * n), 1), n - 1)
        # Rows of one time on both sides of a cut would tell the training part of the moment that it is measured on.
        labels += times >= _nearest_change(ordered, cut)
    return labels


def _nearest_change(ordered: Floats, cut: int) -> float:
    """The time that begins nearest to a place in the order."""
    left, right = np.searchsorted(ordered, ordered[cut], "left"), np.searchsorted(ordered, ordered[cut], "right")
    if left == 0 or (right < len(ordered) and right - cut < cut - left):
        return float(ordered[right]) if right < len(ordered) else np.inf
    return float(ordered[left])
