"""How one parameter moves the objective near the best trial, and how far it may be moved; averages over nothing."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import FiniteFloat

from pegbox.analysis.effect_points import EffectPoint, bands
from pegbox.analysis.surrogate import Surrogate, fit_surrogate
from pegbox.analysis.targets import Target
from pegbox.analysis.unit_columns import Array, Cells, Column, Table
from pegbox.schemas.base import Schema, Value
from pegbox.schemas.history import History


class Tolerance(Schema):
    """How far a parameter may be moved from the best, all others kept, and lose less than one standard deviation.

    What moving it does to the metrics of constraints is not looked at.
    """

    low: Value = None
    """Lower end of the interval; None for a parameter without an order."""
    high: Value = None
    """Upper end of the interval; None for a parameter without an order."""
    values: tuple[Value, ...] = ()
    """The categories that lose no more, for a parameter without an order."""
    reaches_low_end: bool = False
    """True if it goes down to the lowest value of the space."""
    reaches_high_end: bool = False
    """True if it goes up to the highest value of the space."""


class Slice(Schema):
    """One parameter moved, all others as in the best trial."""

    best: Value
    """Where the best trial has it."""
    points: tuple[EffectPoint, ...]
    tolerance: Tolerance
    loss: FiniteFloat
    """The loss that the tolerance allows: one standard deviation of a measurement."""


def slices(history: History, target: Target, table: Table, sign: float) -> tuple[dict[str, Slice], float]:
    """A slice for each parameter that the best trial uses, and the noise of one measurement.

    The best trial is that with the best posterior mean, of those that keep the constraints if any does. The noise is
    that of the finalists' seeds where they have been trained, else what the surrogate takes for noise.

    Args:
        sign: 1, or -1 where the metric is made large.
    """
    surrogate = fit_surrogate(table, target.losses)
    may_win = np.array([history.may_win(trial) for trial in target.trials])
    believed = surrogate.predict(table.units)[0]
    best = int(np.argmin(np.where(may_win, believed, np.inf) if may_win.any() else believed))
    noise = history.replicate_noise(history.objectives[0]) or surrogate.noise
    used = [position for position in range(len(table.columns)) if np.isfinite(table.units[best, position])]
    around = _Around(table.cells(), table.columns, best, noise, sign)
    moved = _move_each(surrogate, table, best, used)
    configuration = target.trials[best].configuration
    names = table.names
    return {names[at]: around.slice(at, configuration[names[at]], *moved[at]) for at in used}, noise


def _middles(column: Column) -> Array:
    return (column.edges[:-1] + column.edges[1:]) / 2


def _move_each(surrogate: Surrogate, table: Table, best: int, used: list[int]) -> dict[int, tuple[Array, Array]]:
    """Posterior mean and deviation with each column moved to the middle of every cell, last to where the best is."""
    rows = []
    for position in used:
        units = np.append(_middles(table.columns[position]), table.units[best, position])
        moved = np.tile(table.units[best], (len(units), 1))
        moved[:, position] = units
        rows.append(moved)
    mean, std = surrogate.predict(np.concatenate(rows))
    ends = np.cumsum([len(moved) for moved in rows])[:-1]
    return dict(zip(used, zip(np.split(mean, ends), np.split(std, ends), strict=True), strict=True))


@dataclass(frozen=True)
class _Around:
    """The row of the best trial in a table of cells, and what surrounds it."""

    cells: Cells
    columns: tuple[Column, ...]
    best: int
    noise: float
    sign: float

    def slice(self, position: int, value: Value, mean: Array, std: Array) -> Slice:
        """One column moved.

        Args:
            value: Where the best trial has it.
            mean, std: By cell, and last where the best trial has it.
        """
        column, cells = self.columns[position], self.cells[:, position]
        middles = _middles(column)
        points = []
        for group in bands(column):
            middle = int(group[len(group) // 2])
            centre, spread = self.sign * float(mean[middle]), 1.96 * float(std[middle])
            points.append(
                EffectPoint(
                    value=column.value(float(middles[middle])),
                    mean=centre,
                    low=centre - spread,
                    high=centre + spread,
                    n_trials=int(np.isin(cells, group).sum()),
                )
            )
        allowed = np.asarray(mean[:-1] <= mean[-1] + self.noise)
        allowed[int(cells[self.best])] = True
        tolerance = _tolerance(column, allowed, int(cells[self.best]), value)
        return Slice(best=value, points=tuple(points), tolerance=tolerance, loss=self.noise)


def _tolerance(column: Column, allowed: npt.NDArray[np.bool_], best: int, value: Value) -> Tolerance:
    if not column.is_ordered:
        return Tolerance(values=tuple(column.listed[int(cell)] for cell in np.flatnonzero(allowed)))
    first = last = best
    while first > 0 and allowed[first - 1]:
        first -= 1
    while last < column.n_cells - 1 and allowed[last + 1]:
        last += 1
    return Tolerance(
        low=value if first == best else column.value(_near(column, first, first > 0)),
        high=value if last == best else column.value(_near(column, last, last < column.n_cells - 1)),
        reaches_low_end=first == 0,
        reaches_high_end=last == column.n_cells - 1,
    )


def _near(column: Column, cell: int, is_inner: bool) -> float:
    """The middle of a cell, or at the end of the space its outer edge."""
    if is_inner or cell in column.listed:
        return float(column.edges[cell] + column.edges[cell + 1]) / 2
    return float(column.edges[cell]) if cell == 0 else float(column.edges[cell + 1]) - 1e-12
