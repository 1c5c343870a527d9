"""Enumeration of a space: its configurations one after the other, coarse before fine."""

import math
from collections.abc import Iterator
from itertools import count

import numpy as np

from pegbox.schemas.base import Configuration, Value
from pegbox.schemas.errors import SearchError
from pegbox.search.space.axes import Axis
from pegbox.search.space.encoding import SpaceEncoding

FINEST_LEVEL = 24
"""Where the refinement of real numbers ends: 2^24 parts of the range. Finer than any training tells apart and more than
any study tries; an end, because a walk over a used-up space has to stop."""
MOST_REFUSED = 200_000
"""Forbidden configurations in a row after which a walk gives up. Picked by hand: a space that allows less
than one in so many is taken for a mistake, since a walk cannot prove that nothing is left."""
_BLOCK = 4096
"""Configurations of a level that are put into another order at once; a level of many parameters may hold millions."""
_GOLDEN = (math.sqrt(5) - 1) / 2
"""Multiples of it spread most evenly modulo 1 (Weyl's sequence), so that any beginning of a block covers it."""


def refinement(axis: Axis, points: int | None = None) -> Iterator[tuple[int, float]]:
    """Level and unit of each value of an axis, coarse levels first.

    Level 0 is one value, level 1 adds the ends, each further level about doubles the number of values. Values without
    an order come in the order of their list.

    Args:
        axis: The values.
        points: How many evenly spaced values stand for a continuum; refined without end where None.
    """
    n = axis.n_values if axis.n_values is not None else points
    if n is None:
        yield from _continuum()
    elif not axis.is_ordered:
        yield from ((position.bit_length(), (position + 0.5) / n) for position in range(n))
    elif axis.n_values is None:
        yield from ((level, cell / max(n - 1, 1)) for level, cell in _cells(n))
    else:
        yield from _values(axis, n)


def _continuum() -> Iterator[tuple[int, float]]:
    yield 0, 0.5
    yield 1, 0.0
    yield 1, 1.0
    for level in range(2, FINEST_LEVEL + 1):
        yield from ((level, odd / 2**level) for odd in range(1, 2**level, 2))


def _cells(n: int) -> Iterator[tuple[int, int]]:
    """Level and cell of n ordered cells: the middle, the ends, the quarters, ..."""
    seen: set[int] = set()
    for level, unit in _continuum():
        cell = math.floor(unit * (n - 1) + 0.5)
        if cell not in seen:
            seen.add(cell)
            yield level, cell
        if len(seen) == n:
            return


def _values(axis: Axis, n: int) -> Iterator[tuple[int, float]]:
    """Evenly over the scale of the axis while values are new, then whatever was left out."""
    seen: set[float] = set()
    for level, unit in _continuum():
        snapped = float(axis.snap(np.array([unit]))[0])
        if snapped not in seen:
            seen.add(snapped)
            yield level, snapped
        if len(seen) == n:
            return


class SpaceEnumeration:
    """Every allowed configuration once, in an order whose beginnings cover the space evenly."""

    def __init__(self, encoding: SpaceEncoding, points: dict[str, int] | int | None = None) -> None:
        self._encoding = encoding
        self._points = points if isinstance(points, dict) else dict.fromkeys(encoding.names, points)
        self._refused = 0
        self._levels = tuple(_Levels(refinement(axis, self._points.get(name))) for name, axis in self._pairs())

    def _pairs(self) -> Iterator[tuple[str, Axis]]:
        return zip(self._encoding.names, self._encoding.axes, strict=True)

    def __iter__(self) -> Iterator[Configuration]:
        for total in count():
            if total > sum(levels.highest(total) for levels in self._levels):
                return
            yield from self._allowed(self._spread(total))

    def _allowed(self, configurations: Iterator[Configuration]) -> Iterator[Configuration]:
        for configuration in configurations:
            if not self._encoding.space.is_forbidden(configuration):
                self._refused = 0
                yield configuration
                continue
            self._refused += 1
            if self._refused >= MOST_REFUSED:
                raise SearchError(
                    f"forbid must leave something to try, but it refused {MOST_REFUSED} configurations in a row. "
                    "Widen the space or drop a forbidden combination."
                )

    def _spread(self, total: int) -> Iterator[dict[str, Value]]:
        """The configurations of one level, blocks of them in the order of the golden ratio's multiples."""
        walk = self._descend(0, total, {})
        while block := [configuration for _, configuration in zip(range(_BLOCK), walk, strict=False)]:
            order = np.argsort(np.arange(len(block)) * _GOLDEN % 1.0, kind="stable")
            yield from (block[position] for position in order)

    def _descend(self, position: int, left: int, chosen: dict[str, Value]) -> Iterator[dict[str, Value]]:
        """Every way to set the parameters from `position` on so that their levels sum up to `left`."""
        if position == len(self._levels):
            if left == 0:
                yield dict(chosen)
            return
        name = self._encoding.names[position]
        if not self._encoding.space.is_active(name, chosen):
            yield from self._descend(position + 1, left, chosen)
            return
        rest = sum(levels.highest(left) for levels in self._levels[position + 1 :])
        for level in range(max(left - rest, 0), left + 1):
            for unit in self._levels[position].at(level):
                value = self._encoding.axes[position].value(unit)
                yield from self._descend(position + 1, left - level, {**chosen, name: value})


class _Levels:
    """The units of one axis by level, read from its refinement as far as they are asked for."""

    def __init__(self, refinement: Iterator[tuple[int, float]]) -> None:
        self._ahead = refinement
        self._next = next(refinement, None)
        self._levels: list[list[float]] = []

    def at(self, level: int) -> list[float]:
        """The units of a level; empty where there are none."""
        self._read(level)
        return self._levels[level] if level < len(self._levels) else []

    def highest(self, bound: int) -> int:
        """The highest level that has values, up to a bound."""
        self._read(bound)
        return min(len(self._levels) - 1, bound)

    def _read(self, level: int) -> None:
        while self._next is not None and self._next[0] <= level:
            number, unit = self._next
            self._levels.extend([] for _ in range(number + 1 - len(self._levels)))
            self._levels[number].append(unit)
            self._next = next(self._ahead, None)
