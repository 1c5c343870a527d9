"""Two configurations side by side: where they differ, which is better, and how sure that is; ranks no third."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from pydantic import Field, FiniteFloat

from pegbox.analysis.finalist_result import LEVEL
from pegbox.analysis.posterior import mean_draws
from pegbox.analysis.replicates import gather_replicates
from pegbox.analysis.unit_columns import Array
from pegbox.schemas.base import Configuration, Schema, Value
from pegbox.schemas.history import History
from pegbox.schemas.selection import Interval
from pegbox.schemas.trial import Trial


class Side(Schema):
    """One of the two."""

    study: str
    trial: int
    configuration: Configuration
    search_value: FiniteFloat | None = None
    """What the search saw; None where it has no value."""
    values: tuple[FiniteFloat, ...] = ()
    """One for each fresh seed."""
    seconds: float | None = None
    """Of training, in the search."""


class Difference(Schema):
    """A parameter that the two set differently; None where one does not use it."""

    name: str
    left: Value = None
    right: Value = None


class Comparison(Schema):
    """Which of two configurations is better, and how sure that is."""

    metric: str
    goal: Literal["minimize", "maximize"]
    left: Side
    right: Side
    differences: tuple[Difference, ...]
    gain: Interval | None = None
    """By how much the left is better, in units of the metric; None where fresh seeds of both are missing."""
    probability_left: float | None = Field(default=None, ge=0, le=1)
    """That the left is better; None where fresh seeds of both are missing."""
    sentence: str


def compare(left: History, first: int, right: History, second: int) -> Comparison:
    """Compare a trial of one history with a trial of another, or of the same.

    In one study the seeds are common to both, and are compared in pairs; seeds of different studies are not.

    Args:
        left, right: Histories with the same first objective.
        first, second: Trial numbers; each is in its history.
    """
    objective = left.objectives[0]
    one, other = _numbered(left, first), _numbered(right, second)
    sides = _side(left, one), _side(right, other)
    draws = _difference_draws(left, one, right, other)
    # A single draw is the mean itself, where no spread is known: it has no interval and no probability.
    known = draws is not None and len(draws) > 1
    gain = chance = None
    if draws is not None and known:
        low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        gain, chance = Interval(low=float(low), high=float(high), level=LEVEL), float((draws > 0).mean())
    return Comparison(
        metric=objective.metric,
        goal=objective.goal,
        left=sides[0],
        right=sides[1],
        differences=_differences(one.configuration, other.configuration),
        gain=gain,
        probability_left=chance,
        sentence=_sentence(left, sides, gain, chance),
    )


def _numbered(history: History, number: int) -> Trial:
    # Not by position: a history that was sampled for the analysis leaves trials out.
    return next(trial for trial in history.trials if trial.number == number)


def _side(history: History, trial: Trial) -> Side:
    metric = history.objectives[0].metric
    return Side(
        study=history.spec.name,
        trial=trial.number,
        configuration=trial.configuration,
        search_value=trial.value(metric),
        values=tuple(one.metrics[metric] for one in trial.replicates if metric in one.metrics),
        seconds=trial.evaluations[-1].seconds if trial.evaluations else None,
    )


def _differences(left: Mapping[str, Value], right: Mapping[str, Value]) -> tuple[Difference, ...]:
    names = [*left, *(name for name in right if name not in left)]
    return tuple(
        Difference(name=name, left=left.get(name), right=right.get(name))
        for name in names
        if (name in left) != (name in right) or left[name] != right[name]
    )


def _difference_draws(left: History, one: Trial, right: History, other: Trial) -> Array | None:
    """Draws of how much the left is better; None where one of them has no fresh seed."""
    first, second = _draws(left, one), _draws(right, other)
    if first is None or second is None:
        return None
    if left.spec.name != right.spec.name:  # independent draws: break the order that equal seeds would give
        second = np.random.default_rng(len(second)).permutation(second)
    return np.asarray(second - first)  # of one that has no noise there is one draw


def _draws(history: History, trial: Trial) -> Array | None:
    selection = history.standing_selection
    rows = None if selection is None else selection.row_noise
    replicates = gather_replicates(history, history.objectives[0], rows=rows)
    numbers = [one.number for one in replicates.trials]
    return mean_draws(replicates)[:, numbers.index(trial.number)] if trial.number in numbers else None


def _sentence(history: History, sides: tuple[Side, Side], gain: Interval | None, chance: float | None) -> str:
    left, right = sides
    is_one_study = left.study == right.study
    names = [f"trial {side.trial}" + ("" if is_one_study else f" of {side.study}") for side in sides]
    if gain is None or chance is None:
        return _by_search(history, sides, names)
    if gain.low > 0 or gain.high < 0:
        better, worse = names if gain.low > 0 else names[::-1]
        return f"{better[0].upper()}{better[1:]} is better than {worse}."
    return f"The fresh seeds cannot tell {names[0]} from {names[1]}: P({names[0]} is better) is {chance:.0%}."


def _by_search(history: History, sides: tuple[Side, Side], names: list[str]) -> str:
    objective, noise = history.objectives[0], history.replicate_noise(history.objectives[0])
    values = [side.search_value for side in sides]
    if values[0] is None or values[1] is None:
        missing = names[0] if values[0] is None else names[1]
        return f"{missing[0].upper()}{missing[1:]} has no {objective.metric}: there is nothing to compare."
    gain = objective.loss(values[1]) - objective.loss(values[0])
    if gain == 0:
        return f"Both have the same {objective.metric} in the search."
    better = names[0] if gain > 0 else names[1]
    seen = f"In the search {better} was better by {abs(gain):.3g}"
    if noise is None:
        return f"{seen}; without fresh seeds of both nobody knows whether that is luck."
    return f"{seen}, with a noise of {noise:.3g} a measurement; fresh seeds of both would say whether that is luck."
