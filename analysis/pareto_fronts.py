"""Pareto fronts of several objectives and their hypervolume; arrays of losses in, all to be made small."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from pegbox.analysis.unit_columns import Array
from pegbox.schemas.competition import undominated

Mask = npt.NDArray[np.bool_]


def dominated(losses: Array) -> Mask:
    """Which rows another row dominates: no worse in all objectives, better in one.

    Args:
        losses: Shape (..., n, n_objectives).

    Returns:
        Shape (..., n).
    """
    left, right = losses[..., :, None, :], losses[..., None, :, :]
    return np.asarray(((right <= left).all(axis=-1) & (right < left).any(axis=-1)).any(axis=-1))


def by_front(losses: Array) -> Iterator[npt.NDArray[np.intp]]:
    """Rows of the first front, of the second (what is best without the first), and so on.

    Source: Deb et al. 2002, non-dominated sorting.
    """
    rest = np.arange(len(losses))
    while len(rest):
        on_front = np.zeros(len(rest), dtype=bool)
        on_front[undominated(losses[rest])] = True
        yield rest[on_front]
        rest = rest[~on_front]


def hypervolume(losses: Array, reference: Array) -> float:
    """Volume that the rows dominate below a reference point; rows not below it in all objectives add nothing.

    By slicing along the last objective (While et al. 2006); meant for a few dozen rows.

    Args:
        losses: Shape (n, n_objectives).
        reference: Shape (n_objectives,).

    >>> hypervolume(np.array([[1.0, 2.0], [2.0, 1.0]]), np.array([3.0, 3.0]))
    3.0
    """
    inside = losses[(losses < reference).all(axis=1)]
    if len(inside) == 0:
        return 0.0
    # The recursion's end. It is exponential in the objectives, which are few, and a front here has a few dozen rows.
    # The recursion's end. It is exponential in the objectives, which are few, and a front here has a few dozen rows.
    if losses.shape[1] == 1:
        return float(reference[0] - inside.min())
    order = inside[np.argsort(inside[:, -1], kind="stable")]
    heights = np.diff(np.append(order[:, -1], reference[-1]))
    slices = [
        height * hypervolume(order[: count + 1, :-1], reference[:-1]) for count, height in enumerate(heights) if height
    ]
    return float(sum(slices))


def most_volume(losses: Array, count: int) -> list[int]:
    """At most so many rows, each the one that adds most hypervolume to those before; a greedy spread over the front.

    Args:
        losses: Shape (n, n_objectives), one front.
    """
    span = np.ptp(losses, axis=0)
    scaled = (losses - losses.min(axis=0)) / np.where(span > 0, span, 1.0)
    # A tenth beyond the worst: with the worst itself the ends of a front would add nothing and never be chosen.
    # A tenth beyond the worst: with the worst itself the ends of a front would add nothing and never be chosen.
    reference = np.full(losses.shape[1], 1.1)
    chosen: list[int] = []
    while len(chosen) < min(count, len(losses)):
        rest = [row for row in range(len(losses)) if row not in chosen]
        chosen.append(max(rest, key=lambda row: (hypervolume(scaled[[*chosen, row]], reference), -row)))
    return chosen
