"""A point of a partial-dependence curve, and the stretches of a parameter that one point stands for."""

import numpy as np
from pydantic import Field, FiniteFloat

from pegbox.analysis.unit_columns import Cells, Column
from pegbox.schemas.base import Schema, Value

MAX_POINTS = 16
"""As many as a curve of a card's width shows apart, and a stretch still holds some trials; picked by hand."""


class EffectPoint(Schema):
    """The effect of one value, or of the stretch of values around it."""

    value: Value
    mean: FiniteFloat
    """In units of what the effect is on."""
    low: FiniteFloat
    """Lower end of the 95 % interval."""
    high: FiniteFloat
    """Upper end of the 95 % interval."""
    n_trials: int = Field(ge=0)
    """Trials with this value, or in this stretch; 0 is no data here, and the mean is a guess."""


def bands(column: Column, max_points: int = MAX_POINTS) -> list[Cells]:
    """Neighbouring cells gathered to at most so many stretches; each listed value and category stays by itself."""
    if len(column.listed) == column.n_cells and (column.n_cells <= max_points or not column.is_ordered):
        return [np.array([cell]) for cell in range(column.n_cells)]
    alone = [np.array([cell]) for cell in column.listed if len(column.listed) < column.n_cells]
    held = {int(cell) for one in alone for cell in one}
    rest = np.array([cell for cell in range(column.n_cells) if cell not in held])
    groups = [*alone, *np.array_split(rest, max(1, min(max_points - len(alone), len(rest))))]
    return sorted(groups, key=lambda group: int(group[0]))
