"""Points of the unit cube as features for the kernel of a Gaussian process, which knows nothing but their distances."""

import numpy as np
import numpy.typing as npt

from pegbox.search.space.axes import Array
from pegbox.search.space.encoding import SpaceEncoding

MOST_COLUMNS = 32
"""Values without an order beyond this number share columns: each is a random direction, nearly at right angles.

Picked by hand: the width of the features bounds what each kernel costs, and two random directions among 32 columns have
a cosine of about 0.18.
"""


class FeatureMap:
    """One column for each ordered parameter, one for each value of one without an order; constants are left out.

    Two different values without an order lie at distance 1, as the ends of a range do. An inactive parameter stands in
    the middle of its range, where it is as far from either end, or at zero among directions, as far from each value.
    """

    def __init__(self, encoding: SpaceEncoding) -> None:
        self._tables: dict[int, Array] = {}
        groups: list[int] = []
        self.searched = [column for column, axis in enumerate(encoding.axes) if axis.n_values != 1]
        for group, column in enumerate(self.searched):
            axis = encoding.axes[column]
            if not axis.is_ordered:
                assert axis.n_values is not None  # only lists have no order, and a list has a length
                self._tables[column] = _directions(axis.n_values)
            width = 1 if axis.is_ordered else self._tables[column].shape[1]
            groups += [group] * width
        self.groups: npt.NDArray[np.int64] = np.array(groups, dtype=np.int64)

    @property
    def n_groups(self) -> int:
        """How many parameters are searched, each with a length scale of its own."""
        return len(self.searched)

    def features(self, snapped: Array) -> Array:
        """Features of snapped points, shape (n, n_features)."""
        columns = [np.empty((len(snapped), 0))]
        for column in self.searched:
            units = snapped[:, column]
            if column not in self._tables:
                columns.append(np.where(np.isnan(units), 0.5, units)[:, None])
                continue
            table = self._tables[column]
            cells = np.floor(np.nan_to_num(units, nan=0.0) * len(table)).astype(np.int64)
            columns.append(np.where(np.isnan(units)[:, None], 0.0, table[np.clip(cells, 0, len(table) - 1)]))
        return np.asarray(np.hstack(columns))


def _directions(n_values: int) -> Array:
    """A vector for each value, shape (n_values, n_columns), of length sqrt(1/2) each."""
    if n_values <= MOST_COLUMNS:
        return np.asarray(np.eye(n_values) * 0.5**0.5)
    # Seeded by the count: the same space has the same features in every process and at every resume.
    directions = np.random.default_rng(n_values).normal(size=(n_values, MOST_COLUMNS))
    return np.asarray(directions / np.linalg.norm(directions, axis=1, keepdims=True) * 0.5**0.5)
