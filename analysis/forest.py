"""A random forest over the cells of a space, with its leaves as boxes whose averages are exact; fANOVA's surrogate.

A surrogate for statistics, not for search: the measure of every leaf is known, so that the average of the forest over
all other parameters (its marginal) is a sum over leaves, not a simulation.

Source: Hutter, Hoos & Leyton-Brown 2014 (exact marginals of trees); Breiman 2001.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from pegbox.analysis.unit_columns import Array, Cells, Table

MAX_LEAVES = 128
"""The masks of all leaves are held at once, and a marginal of two columns costs leaves x cells x cells. Picked by hand:
enough to follow two or three parameters that act together."""
SHARE_OF_FEATURES = 0.7
"""Features that each split may choose from; below 1, so that trees differ, and high, since of a few that matter most
splits should see one. Picked by hand."""


@dataclass(frozen=True)
class Forest:
    """The leaves of several trees, whose mean is the surrogate.

    Attributes:
        masks: For each column, which cells each leaf holds, shape (n_leaves, n_cells), 0 or 1.
        widths: Measure of each leaf in each column alone, shape (n_leaves, n_columns).
        values: What each leaf predicts, divided by the number of trees, shape (n_leaves,).
        readers: Functions from cells to predictions, whose mean is the surrogate; faster than going through masks.
    """

    masks: tuple[Array, ...]
    widths: Array
    values: Array
    readers: tuple[Callable[[Cells], Array], ...]

    def marginal(self, *columns: int) -> Array:
        """The mean prediction over all other parameters, by the cells of one column or of two.

        Shape (n_cells,), or (n_cells of the first, n_cells of the second).
        """
        others = self._volumes / self.widths[:, list(columns)].prod(axis=1)
        weights = (self.values * others).astype(self.masks[0].dtype)
        if len(columns) == 1:
            return np.asarray(weights @ self.masks[columns[0]], dtype=float)
        first, second = columns
        return np.asarray((self.masks[first] * weights[:, None]).T @ self.masks[second], dtype=float)

    def at(self, cells: Cells) -> Array:
        """Predictions at cells of shape (n_points, n_columns); shape (n_points,)."""
        return np.asarray(np.mean([read(cells) for read in self.readers], axis=0))

    def mean(self) -> float:
        """The mean prediction over the space."""
        return float(self.values @ self._volumes)

    @cached_property
    def _volumes(self) -> Array:
        return np.asarray(self.widths.prod(axis=1))


def join(forests: list[Forest]) -> Forest:
    """The mean of several forests of equally many trees, as one forest."""
    return Forest(
        masks=tuple(np.concatenate(parts) for parts in zip(*(forest.masks for forest in forests), strict=True)),
        widths=np.concatenate([forest.widths for forest in forests]),
        values=np.concatenate([forest.values for forest in forests]) / len(forests),
        readers=tuple(reader for forest in forests for reader in forest.readers),
    )


class Grower:
    """Grows forests over one table; an inactive parameter is given random cells, because it has no effect there."""

    def __init__(self, table: Table, rng: np.random.Generator) -> None:
        self._columns = table.columns
        self._cells = table.cells()
        self._rng = rng
        sizes = [1 if column.is_ordered else column.n_cells for column in table.columns]
        self._owner = np.repeat(np.arange(len(sizes)), sizes)
        self._category = np.concatenate([np.arange(size) for size in sizes])

    def grow(self, rows: Cells, targets: Array, n_trees: int) -> Forest:
        """A forest fitted to some rows of the table; a row may be given twice.

        Args:
            rows: Shape (n_rows,).
            targets: Shape (n_rows,).
        """
        from sklearn.ensemble import RandomForestRegressor

        estimator = RandomForestRegressor(
            n_trees,
            max_leaf_nodes=MAX_LEAVES,
            min_samples_leaf=2,  # leaves of one trial would learn its noise
            max_features=SHARE_OF_FEATURES,
            bootstrap=False,  # the rows are a draw already
            random_state=int(self._rng.integers(2**31)),
        )
        estimator.fit(self._features(self._filled(rows)), targets)
        trees = join([self._leaves(tree.tree_) for tree in estimator.estimators_])
        return replace(trees, readers=(lambda cells: np.asarray(estimator.predict(self._features(cells))),))

    def _filled(self, rows: Cells) -> Cells:
        cells = self._cells[rows]
        for position, column in enumerate(self._columns):
            hidden = cells[:, position] < 0
            cells[hidden, position] = self._rng.choice(column.n_cells, size=hidden.sum(), p=column.weights)
        return cells

    def _features(self, cells: Cells) -> npt.NDArray[np.float32]:
        """What trees see of cells: an ordered column as it is, an unordered one as one feature a category."""
        seen = cells[:, self._owner].astype(np.float32)
        one_hot = ~np.array([column.is_ordered for column in self._columns])[self._owner]
        seen[:, one_hot] = cells[:, self._owner[one_hot]] == self._category[one_hot]
        return seen

    def _leaves(self, tree: Any) -> Forest:
        """The leaves of a fitted tree; its nodes are numbered parents first."""
        # float32: half of the memory, and a BLAS product of masks; the shares are told to two digits.
        masks = [np.ones((tree.node_count, column.n_cells), dtype=np.float32) for column in self._columns]
        # In this order a node's own box is final before it is cut in two: scikit-learn numbers parents first.
        for node in np.flatnonzero(tree.children_left >= 0):
            left, right, feature = tree.children_left[node], tree.children_right[node], tree.feature[node]
            for mask in masks:
                mask[left] = mask[right] = mask[node]
            position = self._owner[feature]
            goes_left = self._goes_left(position, self._category[feature], tree.threshold[node])
            masks[position][left] *= goes_left
            masks[position][right] *= ~goes_left
        leaf = tree.children_left < 0
        masks = [mask[leaf] for mask in masks]
        widths = [mask @ column.weights for mask, column in zip(masks, self._columns, strict=True)]
        return Forest(tuple(masks), np.stack(widths, axis=1), tree.value[leaf, 0, 0], readers=())

    def _goes_left(self, position: int, category: int, threshold: float) -> npt.NDArray[np.bool_]:
        column = self._columns[position]
        cells = np.arange(column.n_cells)
        return np.asarray(cells <= threshold if column.is_ordered else cells != category)
