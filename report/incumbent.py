"""What a search has reached: its best trial, the Pareto front of objectives, the constraints that trials break.

As the search saw it, so that all of it is optimistic; decides nothing and reads no store.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pydantic import FiniteFloat

from pegbox.analysis.pareto_fronts import hypervolume
from pegbox.report.number_format import metric, number
from pegbox.schemas.base import Configuration, Metrics, Schema
from pegbox.schemas.competition import knee, undominated
from pegbox.schemas.plan import Constraint, Objective
from pegbox.storage.queries.competing import BrokenLimit

Array = npt.NDArray[np.float64]

# Picked by hand: less jumps with each trial, more says too late that a search has run dry.
RECENT = 0.25
"""The share of the completed trials that counts as lately."""


class Incumbent(Schema):
    """The best trial by what the search has seen; optimistic, because it was picked by its value.

    With several objectives it is the knee of the front: nearest to the best of all objectives at once, each scaled to
    its range over the front.
    """

    trial: int
    value: FiniteFloat
    """Of the first objective."""
    values: Metrics
    """Objective to value."""
    budget: int
    configuration: Configuration


class Best(Schema):
    """The answer of a study as it stands."""

    trial: int
    value: FiniteFloat
    """Of the first objective: what to expect on fresh seeds where it was chosen by them, else what the search saw."""
    is_selected: bool = False
    """True if it was chosen on fresh seeds."""


class FrontTrial(Schema):
    """A trial that no other beats in all objectives at once."""

    trial: int
    values: Metrics
    """Objective to value."""


class Front(Schema):
    """How far a search with several objectives has come."""

    trials: tuple[FrontTrial, ...]
    """Best in the first objective first."""
    knee: int
    """Trial number."""
    hypervolume: FiniteFloat | None = None
    """Share that the front dominates of the box from the best to the worst value of each objective that was measured;
    None where an objective has a single value."""
    gained_lately: FiniteFloat | None = None
    """How much of that share the last quarter of the completed trials added."""


class BrokenConstraint(Schema):
    """A constraint and what the completed trials make of it."""

    metric: str
    limit: str
    """In words, such as `at most 10000`."""
    n_broken: int
    """Completed trials that break it, or did not report the metric."""
    nearest: FiniteFloat | None = None
    """Of the trials that break it, the value nearest to the limit; None where none reported one."""


def limit_in_words(constraint: Constraint) -> str:
    """What a constraint allows.

    >>> limit_in_words(Constraint(metric="parameters", min=10, max=1e4))
    'from 10 to 10000'
    """
    low, high = constraint.min, constraint.max
    if low is not None and high is not None:
        return f"from {number(low)} to {number(high)}"
    return f"at most {number(high)}" if high is not None else f"at least {number(low or 0.0)}"


def broken_in_words(constraints: Sequence[Constraint], broken: Sequence[BrokenLimit]) -> tuple[str, ...]:
    """What a trial breaks, each in a few words; a metric that was not reported breaks its limit.

    >>> broken_in_words((Constraint(metric="size", max=10),), (BrokenLimit(number=0, metric="size", value=12.0),))
    ('size 12.00 (at most 10)',)
    """
    limits = {one.metric: limit_in_words(one) for one in constraints}
    return tuple(
        f"{one.metric} {'was not reported' if one.value is None else metric(one.value)} ({limits[one.metric]})"
        for one in broken
    )


def front_of(trials: Sequence[tuple[int, Sequence[float]]], goals: Sequence[Objective]) -> Front:
    """The front of at least one trial.

    Args:
        trials: Number and a value for each objective, of those that compete; in ascending order.
        goals: The objectives.
    """
    numbers = [number for number, _ in trials]
    # A maximised objective changes its sign, so that less is better everywhere below.
    losses = np.array([values for _, values in trials], dtype=float) * np.array([goal.loss(1.0) for goal in goals])
    rows = undominated(losses)
    best, worst = losses.min(axis=0), losses.max(axis=0)
    volume = earlier = None
    if (worst > best).all():
        # Over all trials and not over the front: the box then stays while the front moves in it, and volumes can be
        # compared.
        scaled = (losses - best) / (worst - best)
        volume = hypervolume(scaled[rows], np.ones(len(goals)))
        # In the same box as the volume of today, or the difference would measure the box.
        before = scaled[: int(len(scaled) * (1 - RECENT))]
        earlier = hypervolume(before[undominated(before)], np.ones(len(goals)))
    return Front(
        trials=tuple(
            FrontTrial(
                trial=numbers[row],
                values={goal.metric: value for goal, value in zip(goals, trials[row][1], strict=True)},
            )
            for row in rows
        ),
        knee=numbers[rows[knee(losses[rows])]],
        hypervolume=volume,
        gained_lately=None if volume is None or earlier is None else volume - earlier,
    )
