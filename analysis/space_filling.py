"""Points that fill a space evenly, as cells; they are for averages over the space, not for proposals."""

import numpy as np

from pegbox.analysis.unit_columns import Cells, Column


def even_cells(columns: tuple[Column, ...], n_points: int, rng: np.random.Generator) -> Cells:
    """A Latin hypercube of shape (n_points, n_columns), uniform in each parameter's own scale.

    Source: McKay, Beckman & Conover 1979.
    """
    strata = np.argsort(rng.random((n_points, len(columns))), axis=0)
    units = (strata + rng.random(strata.shape)) / n_points
    cells = [
        np.clip(np.searchsorted(column.edges, units[:, position], side="right") - 1, 0, column.n_cells - 1)
        for position, column in enumerate(columns)
    ]
    return np.stack(cells, axis=1)
