"""The space as columns of numbers on the unit interval, in each parameter's own scale; proposes and decodes no points.

Lengths on the unit interval are the measure that "uniform over the space" means: every statistic of this room is an
average in that measure, wherever the search happened to look.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pegbox.schemas.base import Value
from pegbox.schemas.domains import AnyDomain, Categorical, Constant, Float, Integer, Ordinal
from pegbox.schemas.space import Space
from pegbox.schemas.trial import Trial
from pegbox.schemas.values import as_number, identity

Array = npt.NDArray[np.float64]
Cells = npt.NDArray[np.int64]
Number = int | float

MAX_CELLS = 64
"""A range, or a list of more values than this, is cut into so many cells. Picked by hand: a joint marginal has 4,096
fields then, and no study has the trials to tell a 64th of a range from the next."""
EXTRA_SHARE = 0.1
"""Share of the unit interval that each extra value beside a range takes; that with which the search draws it."""


@dataclass(frozen=True)
class Column:
    """One parameter on [0, 1], cut into cells.

    Attributes:
        name: Of the parameter.
        is_ordered: True if neighbouring cells are neighbours in meaning.
        edges: Ends of the cells, shape (n_cells + 1,), from 0 to 1.
        listed: The values that have a cell of their own, by position of the cell; empty for a plain range.
        start, length: Scaled value at the range's low end, and from there to its high end.
        log: True if the range is scaled by the logarithm.
        first: The first cell of the range; the listed values before it lie below.
        is_whole: True if the range holds whole numbers only.
    """

    name: str
    is_ordered: bool
    edges: Array
    listed: dict[int, Value]
    start: float = 0.0
    length: float = 1.0
    log: bool = False
    first: int = 0
    is_whole: bool = False

    @property
    def n_cells(self) -> int:
        """How many cells there are."""
        return len(self.edges) - 1

    @property
    def weights(self) -> Array:
        """Measure of each cell, shape (n_cells,); adds up to 1."""
        return np.diff(self.edges)

    def unit(self, value: Value) -> float:
        """Where a value lies on [0, 1]; NaN for a value that the column does not know."""
        return float(self.units([value])[0])

    def units(self, values: Sequence[Value]) -> Array:
        """Where values lie on [0, 1], shape (n_values,); NaN for those that the column does not know."""
        middle = {identity(value): (self.edges[cell] + self.edges[cell + 1]) / 2 for cell, value in self.listed.items()}
        found = np.array([middle.get(identity(value), math.nan) for value in values], dtype=float)
        if len(self.listed) < self.n_cells:
            low, high = self._range
            numbers = np.array([as_number(value) for value in values], dtype=float)
            scaled = np.log(np.where(numbers > 0, numbers, np.nan)) if self.log else numbers
            # Short of 1, which would belong to the cell after the last.
            inner = np.clip((scaled - self.start) / self.length, 0.0, 1.0 - 1e-9)
            found = np.where(np.isnan(found), low + (high - low) * inner, found)
        return found

    def cell(self, unit: float) -> int:
        """The cell that a point of [0, 1] lies in."""
        return min(max(bisect_right(self.edges.tolist(), unit) - 1, 0), self.n_cells - 1)

    def value(self, unit: float) -> Value:
        """The value at a point of [0, 1]."""
        cell = self.cell(unit)
        if cell in self.listed:
            return self.listed[cell]
        low, high = self._range
        scaled = self.start + self.length * (unit - low) / (high - low)
        number = math.exp(scaled) if self.log else scaled
        return round(number) if self.is_whole else float(f"{number:.12g}")

    @property
    def _range(self) -> tuple[float, float]:
        n_range = self.n_cells - len(self.listed)
        return float(self.edges[self.first]), float(self.edges[self.first + n_range])


@dataclass(frozen=True)
class Table:
    """Trials as rows, parameters as columns.

    Attributes:
        columns: One for each parameter that can vary, parents before children.
        units: Shape (n_trials, n_columns), on [0, 1]; NaN where a parameter is inactive.
    """

    columns: tuple[Column, ...]
    units: Array

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(column.name for column in self.columns)

    def cells(self, units: Array | None = None) -> Cells:
        """The cell of every unit (of this table where None), same shape; -1 where a parameter is inactive."""
        units = self.units if units is None else units
        cells = np.full(units.shape, -1, dtype=np.int64)
        for position, column in enumerate(self.columns):
            active = np.isfinite(units[:, position])
            found = np.searchsorted(column.edges, units[active, position], side="right") - 1
            cells[active, position] = np.clip(found, 0, column.n_cells - 1)
        return cells


def tabulate(space: Space, trials: tuple[Trial, ...]) -> Table:
    """The trials' configurations in the columns of the space; parameters with one value are left out."""
    columns = tuple(column for column in columns_of(space) if column.n_cells > 1)
    units = np.full((len(trials), len(columns)), np.nan)
    for position, column in enumerate(columns):
        rows = [row for row, trial in enumerate(trials) if column.name in trial.configuration]
        units[rows, position] = column.units([trials[row].configuration[column.name] for row in rows])
    return Table(columns, units)


def columns_of(space: Space) -> tuple[Column, ...]:
    """A column for each parameter, parents before children."""
    return tuple(_column(name, space.parameters[name]) for name in space.order)


def _column(name: str, domain: AnyDomain) -> Column:
    match domain:
        case Constant(value=value):
            return _listed(name, (value,), np.ones(1), is_ordered=False)
        case Categorical(values=values) | Ordinal(values=values):
            return _listed(name, values, np.ones(len(values)), is_ordered=isinstance(domain, Ordinal))
        case Integer() | Float():
            return _number_column(name, domain)


def _number_column(name: str, domain: Integer | Float) -> Column:
    extra = list(domain.beside)
    values = _few_values(domain)
    return _range_column(name, domain, extra) if values is None else _list_column(name, domain, values, extra)


def _list_column(name: str, domain: Integer | Float, values: list[Number], extra: list[Number]) -> Column:
    """Every value in a cell of its own; an extra value is worth as much as one of the range."""
    is_even = not domain.log or (isinstance(domain, Integer) and domain.power_of_two)
    weights = dict(zip(values, np.ones(len(values)) if is_even else _stretches(values, domain.step or 1), strict=True))
    mean = sum(weights.values()) / len(weights)
    every = sorted({*values, *extra})
    return _listed(name, tuple(every), np.array([weights.get(value, mean) for value in every]), is_ordered=True)


def _range_column(name: str, domain: Integer | Float, extra: list[Number]) -> Column:
    # Half a number beyond both ends, so that the first and the last whole number take as much as the others.
    half = 0.5 if isinstance(domain, Integer) else 0.0
    low, high = float(domain.min) - half, float(domain.max) + half
    start, end = (math.log(low), math.log(high)) if domain.log else (low, high)
    n_below = sum(value <= domain.max for value in extra)
    share = min(EXTRA_SHARE, 0.5 / max(len(extra), 1))
    inner = np.full(MAX_CELLS, (1 - share * len(extra)) / MAX_CELLS)
    weights = np.concatenate([np.full(n_below, share), inner, np.full(len(extra) - n_below, share)])
    cells = [*range(n_below), *range(n_below + MAX_CELLS, len(weights))]
    return Column(
        name=name,
        is_ordered=True,
        edges=_edges(weights),
        listed=dict(zip(cells, extra, strict=True)),
        start=start,
        length=end - start,
        log=domain.log,
        first=n_below,
        is_whole=isinstance(domain, Integer),
    )


def _few_values(domain: Integer | Float) -> list[Number] | None:
    """All values of a range that has at most `MAX_CELLS` of them, in order; None for others."""
    if isinstance(domain, Integer) and domain.power_of_two:
        return [2**power for power in range(domain.min.bit_length() - 1, domain.max.bit_length())]
    step = domain.step or (1 if isinstance(domain, Integer) else None)
    if step is None:
        return None
    count = math.floor((domain.max - domain.min) / step + 1e-9) + 1
    if count > MAX_CELLS:
        return None
    if isinstance(domain, Integer):
        return [domain.min + position * int(step) for position in range(count)]
    return [float(f"{domain.min + position * step:.12g}") for position in range(count)]


def _stretches(values: list[Number], step: float) -> Array:
    """On a logarithmic scale each value takes the stretch from half a step below to half a step above it."""
    numbers = np.array(values, dtype=float)
    above, below = numbers + step / 2, numbers - step / 2
    below[0] = below[0] if below[0] > 0 else numbers[0] ** 2 / above[0]
    return np.log(above / below)


def _listed(name: str, values: tuple[Value, ...], weights: Array, is_ordered: bool) -> Column:
    return Column(name, is_ordered, _edges(weights), dict(enumerate(values)))


def _edges(weights: Array) -> Array:
    edges = np.concatenate([[0.0], np.cumsum(weights / weights.sum())])
    edges[-1] = 1.0  # a sum of 64 rounded shares need not end there, and a unit of 1 must lie in the last cell
    return edges
