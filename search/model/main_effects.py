"""Main effects: what each parameter does by itself, as features of a linear model beside the kernel.

Of most hyperparameters a part of the loss is a slope or a bowl over all of the range, whatever the others are. A
stationary kernel learns that of each neighbourhood anew; a line and a parabola for each parameter learn it of a few
points, and what is left is the kernel's.

Source: Rasmussen & Williams 2006, section 2.7 (explicit basis functions with a Gaussian prior on their weights); a
quadratic mean for hyperparameters: Snoek et al. 2015, section 3.3.
"""

import numpy as np
import numpy.typing as npt

from pegbox.search.space.axes import Array


def main_effects(features: Array, groups: npt.NDArray[np.int64]) -> Array:
    """A line and a parabola for each ordered parameter, a level for each value of one without an order.

    Scaled so that a random configuration has a mean square of about 1: a weight's variance is one of the loss.

    Args:
        features: Shape (n, n_features), in [0, 1] where a parameter has one of its own.
        groups: Which parameter each feature belongs to, shape (n_features,).

    Returns:
        Shape (n, n_effects).

    >>> main_effects(np.array([[0.0], [0.5]]), np.array([0])).round(2).tolist()
    [[-1.22, 1.58], [0.0, -0.79]]
    """
    # A parameter without an order has two values or more, with a feature for each.
    widths = np.bincount(groups)
    is_ordered = (widths == 1)[groups] if len(groups) else np.zeros(0, dtype=bool)
    line = 2 * features[:, is_ordered] - 1
    # Legendre's polynomials, at right angles over the range and of the same mean square.
    effects = [3**0.5 * line, 5**0.5 / 2 * (3 * line * line - 1), 2 * features[:, ~is_ordered]]
    return np.asarray(np.hstack(effects) / max(2 * len(widths), 1) ** 0.5)
