"""Boundary check: whether the best trials crowd at an end of a range, so that the best may lie beyond it."""

import numpy as np

from pegbox.analysis.advice import Advice
from pegbox.analysis.advised_commands import larger_budget, resume
from pegbox.analysis.ranking import comparable, ranked
from pegbox.analysis.unit_columns import Column, Table, tabulate
from pegbox.schemas.domains import Float, Integer
from pegbox.schemas.history import History

# Picked by hand, so that uniform draws hardly ever look like a crowd: at least four of eight in a twentieth of a range
# has a chance below 0.05 % an end.
MIN_TRIALS = 20
N_BEST = 8
EDGE = 0.05
"""Share of the range that counts as its end, in the parameter's own scale."""
CROWDED = 0.5
"""Share of the best trials at one end from which it is told."""
MARGIN = 3.0
"""How many times as often as among all trials: a search that only looked there shows nothing."""


def best_at_edge(history: History) -> Advice | None:
    """Advice to widen the range at whose end most of the best trials lie; None where there is none.

    Ends that mean something by themselves are not told: zero, one, and the smallest whole numbers cannot be passed.
    """
    if len(comparable(history, history.objectives[0])) < MIN_TRIALS:
        return None
    best = ranked(history, history.objectives[0])
    table = tabulate(history.space, best)
    crowds = [
        (share, position, is_high)
        for position in range(len(table.columns))
        for is_high in (False, True)
        if (share := _crowd(table, position, is_high)) >= CROWDED and _may_widen(history, table, position, is_high)
    ]
    if not crowds:
        return None
    share, position, is_high = max(crowds)
    return _advice(history, table.columns[position], share, is_high)


def _crowd(table: Table, position: int, is_high: bool) -> float:
    """Share of the best trials that lie at the end; 0 where all trials lie there almost as often."""
    column = table.columns[position]
    units = table.units[:, position]
    if not column.is_ordered or column.n_cells < 3:
        return 0.0
    # Of few values the last one is the end, however much of the scale it takes; 16 is where a value takes about EDGE.
    end = max(EDGE, float(column.weights[-1 if is_high else 0]) if column.n_cells <= 16 else 0.0)
    with np.errstate(invalid="ignore"):
        there = units >= 1 - end if is_high else units <= end
    share, base = float(there[:N_BEST].mean()), float(there.mean())
    return share if share >= MARGIN * base or base < EDGE else 0.0


def _may_widen(history: History, table: Table, position: int, is_high: bool) -> bool:
    domain = history.space.parameters[table.columns[position].name]
    if not isinstance(domain, Float | Integer):
        return False
    if is_high:
        # Up to 1 means a share (a momentum, a dropout), which cannot be more.
        return not (isinstance(domain, Float) and 0.9 <= domain.max <= 1.0)
    return domain.min > (1 if isinstance(domain, Integer) else 0)


def _advice(history: History, column: Column, share: float, is_high: bool) -> Advice:
    name, domain = column.name, history.space.parameters[column.name]
    assert isinstance(domain, Float | Integer)
    end, side = (domain.max, "max") if is_high else (domain.min, "min")
    return Advice(
        kind="edge",
        what=f"Widen {name}: the best may lie {'above' if is_high else 'below'} {end:g}.",
        evidence=f"{round(share * N_BEST)} of the best {N_BEST} trials have {name} at the "
        f"{'upper' if is_high else 'lower'} end of its range ({side}: {end:g}).",
        command=resume(history, f"space.{name}.{side}={_beyond(domain, is_high):g}", *larger_budget(history)),
    )


def _beyond(domain: Float | Integer, is_high: bool) -> float:
    """A factor of ten further on a log scale (four for whole numbers), else half the range."""
    # Whole numbers are mostly sizes (units, a batch): ten times as many cost ten times as much, or do not fit.
    factor = 4 if isinstance(domain, Integer) else 10
    if domain.log or (isinstance(domain, Integer) and domain.power_of_two):
        beyond = domain.max * factor if is_high else domain.min / factor
    else:
        half = (domain.max - domain.min) / 2
        beyond = domain.max + half if is_high else domain.min - half
        beyond = beyond if is_high or domain.min < 0 else max(beyond, 0.0)
    if isinstance(domain, Integer):
        return max(round(beyond), 1)
    return float(f"{beyond:.3g}")
