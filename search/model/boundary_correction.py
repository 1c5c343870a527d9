"""Boundary correction of the posterior deviation: what faces of the search space add to it is taken off.

The posterior variance of a stationary kernel is inflated at faces and corners, because data lies on one side only, and
there are 2^d corners: an acquisition function always finds one that nothing was seen near, whatever the objective does.
Where the incumbent lies on a face itself, the face is no artefact, and nothing is taken off for it.

Source: Siivola et al. 2018 for the over-exploration of boundaries; they add signs of derivatives to the data, here the
deviation is scaled, which needs no further data.
"""

import numpy as np

from pegbox.search.model.features import FeatureMap
from pegbox.search.model.gaussian_process import SQRT5
from pegbox.search.space.axes import Array
from pegbox.search.space.encoding import SpaceEncoding


class BoundaryCorrection:
    """Scales deviations by the share of a point's neighbourhood, as the kernel weighs it, that lies in the space."""

    def __init__(self, encoding: SpaceEncoding, features: FeatureMap) -> None:
        axes = [(group, column, encoding.axes[column]) for group, column in enumerate(features.searched)]
        self._groups = [group for group, _, axis in axes if axis.is_ordered]
        self._columns = [column for _, column, axis in axes if axis.is_ordered]

    def factor(self, points: Array, lengths: Array, home: Array) -> Array:
        """What the deviation at snapped points is multiplied by, in (0, 1], shape (n,).

        Args:
            points: Shape (n, n_dims).
            lengths: Length scale of each searched parameter, and perhaps of the budget after them, which is no face
                that a search could lean on.
            home: The snapped point of the incumbent, shape (n_dims,). Faces on which it lies are no reason for doubt:
                in each coordinate only what a point has less of its neighbourhood than the incumbent is taken off.
        """
        shares = self._inside(points, lengths) / self._inside(home[None], lengths)
        # The root: variance grows with what is missing of the neighbourhood, and this scales a deviation.
        return np.asarray(np.sqrt(np.minimum(shares, 1.0).prod(axis=1)))

    def _inside(self, points: Array, lengths: Array) -> Array:
        """How much of the kernel's neighbourhood lies inside of the space, by coordinate, shape (n, n_ordered)."""
        # An inactive parameter stands in the middle, as it does among the features.
        units = np.nan_to_num(points[:, self._columns], nan=0.5)
        scales = lengths[self._groups]
        return _integral(units / scales) + _integral((1 - units) / scales)


def _integral(distance: Array) -> Array:
    """Of the Matérn-5/2 correlation from 0 to a distance in length scales, element by element.

    >>> _integral(np.array([0.0, 1e3])).round(4).tolist()
    [0.0, 1.1926]
    """
    scaled = SQRT5 * distance
    return np.asarray((8 - np.exp(-scaled) * (scaled * scaled + 5 * scaled + 8)) / (3 * SQRT5))
