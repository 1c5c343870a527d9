"""Local sensitivity: how one parameter moves the objective near the best trial, and how far it may be moved."""

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

Mask = npt.NDArray[np.bool_]

MIN_KNOWN = 2
"""Trials that a surrogate of a constraint's metric needs."""


class Tolerance(Schema):
    """How far a parameter may be moved from the chosen trial, all others kept, and lose less than one deviation.

    Only as far as the constraints are believed to be kept with one standard deviation to spare, and no forbidden
    combination is met.
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
    """One parameter moved, all others as in the chosen trial."""

    trial: int = 0
    """The chosen trial: the winner, or the best that the search saw as long as there is none."""
    best: Value
    """Where that trial has it."""
    points: tuple[EffectPoint, ...]
    tolerance: Tolerance
    loss: FiniteFloat
    """The loss that the tolerance allows: one standard deviation of a measurement."""


def slices(history: History, target: Target, table: Table, sign: float) -> tuple[dict[str, Slice], float]:
    """A slice for each parameter that the chosen trial uses, and the noise of one measurement.

    The noise is that of the finalists' seeds where they have been trained, else what the surrogate takes for noise.

    Args:
        sign: 1, or -1 where the metric is made large.
    """
    surrogate = fit_surrogate(table, target.losses)
    best = _chosen(history, target)
    noise = history.replicate_noise(history.objectives[0]) or surrogate.noise
    used = [position for position in range(len(table.columns)) if np.isfinite(table.units[best, position])]
    around = _Around(table.cells(), table.columns, best, noise, sign)
    moved = _move_each(surrogate, table, best, used)
    kept = _kept(history, target, table, best, used)
    trial = target.trials[best]
    return {
        name: around.slice(at, trial.configuration[name], *moved[at], kept[at]).model_copy(
            update={"trial": trial.number}
        )
        for at, name in ((at, table.names[at]) for at in used)
    }, noise


def _chosen(history: History, target: Target) -> int:
    """The row of the trial that the answer names; where it is not among the trials, of the best that may win."""
    rows = {trial.number: row for row, trial in enumerate(target.trials)}
    if history.best is not None and history.best.number in rows:
        return rows[history.best.number]
    may_win = np.array([history.may_win(trial) for trial in target.trials])
    return int(np.argmin(np.where(may_win, target.losses, np.inf) if may_win.any() else target.losses))


def _kept(history: History, target: Target, table: Table, best: int, used: list[int]) -> dict[int, Mask]:
    """Which cells of each column are allowed and believed to keep every constraint, with a deviation to spare."""
    configuration = target.trials[best].configuration
    kept = {
        at: np.array(
            [
                not history.space.is_forbidden({**configuration, column.name: column.value(float(middle))})
                for middle in _middles(column)
            ]
        )
        for at, column in ((at, table.columns[at]) for at in used)
    }
    for constraint in history.spec.constraints:
        values = [trial.measured(constraint.metric) for trial in target.trials]
        known = np.array([row for row, value in enumerate(values) if value is not None], dtype=int)
        if len(known) < MIN_KNOWN:
            continue
        measured = np.array([value for value in values if value is not None])
        # Not drawn in: a limit may lie among the largest values, which would then all seem to be within it.
        surrogate = fit_surrogate(Table(table.columns, table.units[known]), measured, draws_in=False)
        for at, (mean, std) in _move_each(surrogate, table, best, used).items():
            ends = np.stack([mean[:-1] - std[:-1], mean[:-1] + std[:-1]])
            kept[at] &= np.array([all(constraint.violation(float(end)) <= 0 for end in both) for both in ends.T])
    return kept


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

    def slice(self, position: int, value: Value, mean: Array, std: Array, kept: Mask) -> Slice:
        """One column moved.

        Args:
            value: Where the chosen trial has it.
            mean, std: By cell, and last where the chosen trial has it.
            kept: By cell, whether it may be moved there at all.
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
        allowed = kept & (mean[:-1] <= mean[-1] + self.noise)
        # Its own cell even where the model doubts it: this trial was measured, and its constraints were kept.
        allowed[int(cells[self.best])] = True
        tolerance = _tolerance(column, allowed, int(cells[self.best]), value)
        return Slice(best=value, points=tuple(points), tolerance=tolerance, loss=self.noise)


def _tolerance(column: Column, allowed: Mask, best: int, value: Value) -> Tolerance:
    if not column.is_ordered:
        return Tolerance(values=tuple(column.listed[int(cell)] for cell in np.flatnonzero(allowed)))
    # Outwards from the best until the first cell that is not allowed: a good stretch beyond a bad one is no tolerance.
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
