"""A cache of what was computed of each trial, so that long histories are cheap; no decision depends on it."""

from collections.abc import Callable, Iterator, Sequence
from itertools import compress, count
from operator import is_not
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from pegbox.schemas.trial import Trial

Row = TypeVar("Row")
Block = TypeVar("Block")
SIZE = 128
"""Rows of a block: of 10,000 rows about 80 blocks are joined, and of one that changed 128 rows are read again."""


class TrialCache(Generic[Row]):
    """One computed row a trial; a trial that changed, or another history, is computed anew."""

    def __init__(self, compute: Callable[[Trial], Row]) -> None:
        self._compute = compute
        self._trials: list[Trial] = []
        self._rows: list[Row] = []

    def rows(self, trials: tuple[Trial, ...]) -> list[Row]:
        """The rows of the trials, in their order; not to be changed by the caller."""
        del self._trials[len(trials) :], self._rows[len(trials) :]
        # By identity: trials are frozen, and an event makes a new object of the trial that it changes alone.
        for position in list(compress(count(), map(is_not, self._trials, trials))):
            self._trials[position], self._rows[position] = trials[position], self._compute(trials[position])
        for trial in trials[len(self._trials) :]:
            self._trials.append(trial)
            self._rows.append(self._compute(trial))
        return self._rows


class BlockCache(Generic[Row, Block]):
    """One computed block for each `SIZE` rows; what an ask takes grows with the rows that changed, not with all."""

    def __init__(self, compute: Callable[[tuple[Row, ...]], Block]) -> None:
        self._compute = compute
        self._rows: list[tuple[Row, ...]] = []
        self._blocks: list[Block] = []

    def blocks(self, rows: tuple[Row, ...]) -> list[Block]:
        """The blocks of the rows, in their order, at least one; not to be changed by the caller."""
        parts = [rows[begin : begin + SIZE] for begin in range(0, max(len(rows), 1), SIZE)]
        del self._rows[len(parts) :], self._blocks[len(parts) :]
        for position, part in enumerate(parts):
            known = self._rows[position] if position < len(self._rows) else None
            # Compared by identity, as trials are: rows may hold arrays, which have no truth of their own.
            if known is not None and len(known) == len(part) and not any(map(is_not, known, part)):
                continue
            self._rows[position : position + 1] = [part]
            self._blocks[position : position + 1] = [self._compute(part)]
        return self._blocks


def joined(blocks: Sequence[tuple[npt.NDArray[Any], ...]]) -> Iterator[npt.NDArray[Any]]:
    """The columns of blocks of arrays, one after the other."""
    return (np.concatenate(column) for column in zip(*blocks, strict=True))
