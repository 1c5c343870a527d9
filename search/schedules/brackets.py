"""Hyperband's brackets: which trials form one, and at which rung it begins, by the numbers of the trials alone.

So that nothing is kept between decisions, and a replay sorts the trials alike.
"""

import math
from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Bracket(NamedTuple):
    """Trials that are compared with each other only."""

    first: int
    """Number of its first trial."""
    size: int
    """How many trials it holds once it is full."""
    rung: int
    """Where its trials begin."""


def bracket_size(rung: int, n_rungs: int, factor: int) -> int:
    """How many trials a Hyperband bracket holds that begins at a rung.

    n = ceil((s_max + 1) / (s + 1) * factor^s),  s = n_rungs - 1 - rung

    Source: Li et al. 2018, algorithm 1.

    >>> [bracket_size(rung, 4, 3) for rung in range(4)]
    [27, 12, 6, 4]
    """
    climbs = n_rungs - 1 - rung
    return math.ceil(n_rungs / (climbs + 1) * float(factor) ** climbs)


def brackets_in_turn(n_rungs: int, factor: int, sizes: dict[int, int | None]) -> Iterator[Bracket]:
    """Brackets without end, one after the other.

    Args:
        n_rungs: How many rungs there are.
        factor: What share of a rung climbs: one in `factor`.
        sizes: The rungs at which brackets begin, in turn, with their sizes; Hyperband's where None.
    """
    first = 0
    for turn in count():
        rung = list(sizes)[turn % len(sizes)]
        size = sizes[rung] or bracket_size(rung, n_rungs, factor)
        yield Bracket(first, size, rung)
        first += size


class Shares:
    """Deals trials out to brackets in the proportions of Hyperband, one at a time."""

    def __init__(self, n_rungs: int, factor: int, n_brackets: int) -> None:
        rungs = range(min(n_brackets, n_rungs))
        self._sizes = np.array([bracket_size(rung, n_rungs, factor) for rung in rungs])
        self._assigned = np.zeros(len(self._sizes))
        self._brackets: list[int] = []

    def of_first(self, n_trials: int) -> npt.NDArray[np.int64]:
        """The bracket of each of the first trials, shape (n_trials,); also the rung at which the trial begins."""
        while len(self._brackets) < n_trials:
            # The bracket that is furthest behind its share; a drawn one would need random numbers to be replayed.
            bracket = int(np.argmin((self._assigned + 1) / self._sizes))
            self._assigned[bracket] += 1
            self._brackets.append(bracket)
        return np.array(self._brackets[:n_trials])
