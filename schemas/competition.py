"""Which trials compete and which of them leads: eligibility, the Pareto front, the incumbent, the answer.

Decided here for every reader: search, analysis and report ask the history, and the store keeps what was decided as
columns, so that no other place has a rule of its own.
"""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from pegbox.schemas.base import Schema
from pegbox.schemas.selection import Selection
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Trial, TrialState

Array = npt.NDArray[np.float64]

# 1e100 squared is 1e200, and a sum of millions of such squares still lies below the largest double, 1.8e308.
LARGEST = 1e100
"""Losses beyond this count as this large where they are squared: the squares of larger ones do not fit a number."""


class Exclusion(StrEnum):
    """Why a trial does not compete; the first reason that holds."""

    FAILED = "failed"
    UNFINISHED = "unfinished"
    """Proposed, running, paused or stopped: no value at the full budget."""
    UNMEASURED = "unmeasured"
    """Completed without a value of every objective."""
    OUTSIDE_SPACE = "outside_space"
    """The space was narrowed since, and does not hold it any more."""
    BREAKS_CONSTRAINT = "breaks_constraint"
    """Or is not known to keep it; by its mean over fresh seeds where there are any."""


def excluded_by(spec: StudySpec, trial: Trial) -> Exclusion | None:
    """Why a trial of a study does not compete; None where it does, and may be named the best."""
    # The order is part of the rule: what is told is the first reason, and a trial that failed has no values to ask the
    # later ones about.
    if trial.state is TrialState.FAILED:
        return Exclusion.FAILED
    if trial.state is not TrialState.COMPLETED:
        return Exclusion.UNFINISHED
    if any(trial.value(goal.metric) is None for goal in spec.goals):
        return Exclusion.UNMEASURED
    return _barred_by(spec, trial)


def may_win(spec: StudySpec, trial: Trial) -> bool:
    """True if a trial lies in the space and keeps the constraints, however far it was trained."""
    return _barred_by(spec, trial) is None


def keeps_constraints(spec: StudySpec, trial: Trial) -> bool:
    """True if a trial is known to keep every constraint of the study."""
    return all(trial.keeps(constraint) for constraint in spec.constraints)


def _barred_by(spec: StudySpec, trial: Trial) -> Exclusion | None:
    if not spec.space.contains(trial.configuration):
        return Exclusion.OUTSIDE_SPACE
    return None if keeps_constraints(spec, trial) else Exclusion.BREAKS_CONSTRAINT


class Leaders(Schema):
    """Who leads a study; numbers of trials that compete."""

    front: tuple[int, ...] = ()
    """Those that no other beats in all objectives at once, best in the first objective first; of one objective those
    of the least loss."""
    incumbent: int | None = None
    """The best as the search saw it: of one objective the first on the front, of several its knee."""
    best: int | None = None
    """The answer: the winner on fresh seeds where a selection stands, else the incumbent."""
    is_selected: bool = False
    """True if the answer was chosen on fresh seeds."""


def leaders_of(
    spec: StudySpec, numbers: npt.NDArray[np.int64] | Sequence[int], losses: Array, selection: Selection | None
) -> Leaders:
    """Who leads among the trials that compete.

    A selection stands as long as its winner competes: not after the space was narrowed past it, a limit was tightened,
    or the full budget was raised.

    Args:
        spec: The study.
        numbers: Of the trials that compete, ascending, shape (n,).
        losses: Of each objective as the search saw it, shape (n, n_objectives); finite.
        selection: The last one that was made.

    Returns:
        Nobody where no trial competes.
    """
    if not len(numbers):
        return Leaders()
    rows = undominated(losses)
    front = tuple(int(numbers[row]) for row in rows)
    # Of one objective all of the front are equal in loss, and the lowest number comes first: an earlier trial is not
    # displaced by one that is no better.
    incumbent = front[knee(losses[rows])] if len(spec.goals) > 1 else front[0]
    stands = selection is not None and selection.winner in numbers
    return Leaders(
        front=front,
        incumbent=incumbent,
        best=selection.winner if selection is not None and stands else incumbent,
        is_selected=stands,
    )


def losses_of(spec: StudySpec, trial: Trial) -> tuple[float, ...]:
    """What the search saw of a trial that competes, one loss for each objective, all to be made small."""
    return tuple(goal.loss(trial.value(goal.metric) or 0.0) for goal in spec.goals)


def undominated(losses: Array) -> list[int]:
    """Rows that no other row dominates, best in the first column first; of equal rows all.

    Args:
        losses: Shape (n, n_objectives); finite.

    >>> undominated(np.array([[2.0, 1.0], [2.0, 2.0], [1.0, 2.0], [1.0, 2.0]]))
    [2, 3, 0]
    """
    # Sorted lexicographically once, as Kung, Luccio & Preparata 1975 do: what dominates a point then always stands
    # before it.
    points, point_of = np.unique(losses + 0.0, axis=0, return_inverse=True)  # + 0.0: -0.0 is no other value than 0.0
    point_of = point_of.reshape(-1)
    on_front = _undominated_in_order(points)[point_of]
    rows = np.flatnonzero(on_front)
    return [int(row) for row in rows[np.argsort(point_of[rows], kind="stable")]]


def _undominated_in_order(points: Array) -> npt.NDArray[np.bool_]:
    """Which of different points, in lexicographic order, no other dominates: in this order only earlier ones may."""
    is_kept = np.zeros(len(points), dtype=bool)
    if points.shape[1] <= 2:  # one pass: below every earlier one in the last column
        last = points[:, -1]
        is_kept[:1] = True
        is_kept[1:] = last[1:] < np.minimum.accumulate(last)[:-1]
        return is_kept
    # Each step takes a member of the front and drops what it dominates: n times the size of the front, where comparing
    # all pairs takes n times n.
    left = np.arange(len(points))
    while len(left):
        is_kept[left[0]] = True
        left = left[1:][~(points[left[0]] <= points[left[1:]]).all(axis=1)]
    return is_kept


def knee(losses: Array) -> int:
    """The row nearest to the best of all objectives at once, each scaled to its range; the first of equals.

    Args:
        losses: Shape (n, n_objectives), one front.

    Source: the compromise solution of Zeleny 1973.
    """
    held = np.clip(losses, -LARGEST, LARGEST)
    span = np.ptp(held, axis=0)
    # Scaled to the range of the front, not of all trials: one diverging trial would else decide which compromise is
    # meant.
    scaled = (held - held.min(axis=0)) / np.where(span > 0, span, 1.0)
    # Euclidean distance, p = 2 of Zeleny's family: p = 1 may choose the end of a concave front, and p = infinity looks
    # at the worst objective alone. Picked by hand.
    return int(np.argmin((scaled**2).sum(axis=1)))
