"""Partial dependence of each hyperparameter, and slices near the best: what it does on average, and what there.

`average` averages over all other parameters, uniformly over the declared space (partial dependence, from the forest of
`fanova`). `near_best` moves one parameter and keeps the others where the best trial has them (from the Gaussian
process of `surrogate`). Both say where there was no trial to learn from.
"""

import numpy as np
from pydantic import Field, FiniteFloat

from pegbox.analysis.effect_points import EffectPoint, bands
from pegbox.analysis.fanova import Ensemble, fit
from pegbox.analysis.forest import Forest
from pegbox.analysis.importance import refusal, rng_of
from pegbox.analysis.near_best import Slice, slices
from pegbox.analysis.single_thread import single_threaded_algebra
from pegbox.analysis.targets import About, Target, target_of
from pegbox.analysis.unit_columns import Array, Cells, Column, Table, tabulate
from pegbox.schemas.base import Schema, Value
from pegbox.schemas.history import History


class Effect(Schema):
    """What one parameter does."""

    name: str
    average: tuple[EffectPoint, ...]
    """Over the whole space, in the order of the values."""
    near_best: Slice | None = None
    """With all others as in the best trial; None where the best trial does not use the parameter."""


class Interaction(Schema):
    """What two parameters do together, on average over the others."""

    names: tuple[str, str]
    rows: tuple[Value, ...]
    """Values of the first parameter."""
    columns: tuple[Value, ...]
    """Values of the second parameter."""
    means: tuple[tuple[FiniteFloat, ...], ...]
    """One row for each value of the first parameter, in units of the metric."""
    counts: tuple[tuple[int, ...], ...]
    """Trials in each field; 0 is no data here."""


class Effects(Schema):
    """What the hyperparameters of a study do."""

    about: str
    """The metric, or `seconds`, or `failure`."""
    n_trials: int
    budget: int | None = None
    """The rung at which they were compared; None for the full budget."""
    noise: FiniteFloat | None = Field(default=None, ge=0)
    """Standard deviation of one measurement, in units of the metric."""
    parameters: tuple[Effect, ...] = ()
    """In the order of the space; empty where the trials do not allow it, and then the sentence says why."""
    interactions: tuple[Interaction, ...] = ()
    sentence: str
    """What this says, or why it says nothing."""


def effects(
    history: History, about: About = "value", pairs: tuple[tuple[str, str], ...] = (), objective: int = 0
) -> Effects:
    """What each hyperparameter does to the objective, the training time or the share of failures.

    Args:
        about: What the effect is on.
        pairs: Names of two parameters each, whose joint effect is wanted; those of `Importance.pairs` that have the
            largest share are worth it.
        objective: Position of the objective, where the study has several.
    """
    target = target_of(history, about, objective)
    table = tabulate(history.space, target.trials)
    reason = refusal(target, table)
    if reason:
        return Effects(about=target.name, n_trials=len(target.trials), budget=target.budget, sentence=reason)
    sign = history.objectives[objective].loss(1.0) if about == "value" else 1.0
    with single_threaded_algebra():
        ensemble = fit(table, target.losses, rng_of(table, target))
        forest, cells = ensemble.mean, table.cells()
        near, noise = slices(history, target, table, sign) if about == "value" else ({}, None)
        parameters = tuple(
            Effect(
                name=name,
                average=_average(ensemble, forest, cells[:, position], position, sign),
                near_best=near.get(name),
            )
            for position, name in enumerate(table.names)
        )
        interactions = tuple(_interaction(forest, table, pair, sign) for pair in pairs)
    return Effects(
        about=target.name,
        n_trials=len(target.trials),
        budget=target.budget,
        noise=noise,
        parameters=parameters,
        interactions=interactions,
        sentence=_sentence(target, parameters),
    )


def _average(ensemble: Ensemble, forest: Forest, cells: Cells, position: int, sign: float) -> tuple[EffectPoint, ...]:
    column = ensemble.columns[position]
    groups = bands(column)
    mean = sign * _by_band(forest.marginal(position), column, groups)
    bags = np.sort([sign * _by_band(bag.marginal(position), column, groups) for bag in ensemble.bags], axis=0)
    # From the lowest to the highest of 16 bags: wider than percentiles of so few. The mean lies inside by force.
    low, high = np.minimum(bags[0], mean), np.maximum(bags[-1], mean)
    counts = _counts(cells, groups)
    return tuple(
        EffectPoint(
            value=column.value(_middle(column, group)),
            mean=float(mean[at]),
            low=float(low[at]),
            high=float(high[at]),
            n_trials=int(counts[at]),
        )
        for at, group in enumerate(groups)
    )


def _by_band(by_cell: Array, column: Column, groups: list[Cells]) -> Array:
    return np.array([np.average(by_cell[group], weights=column.weights[group]) for group in groups])


def _counts(cells: Cells, groups: list[Cells]) -> Cells:
    return np.array([np.isin(cells, group).sum() for group in groups])


def _middle(column: Column, group: Cells) -> float:
    return float(column.edges[group[0]] + column.edges[group[-1] + 1]) / 2


def _interaction(forest: Forest, table: Table, names: tuple[str, str], sign: float) -> Interaction:
    first, second = (table.names.index(name) for name in names)
    left, right = table.columns[first], table.columns[second]
    # 64 fields at most: more would hold less than one trial each in the usual study; picked by hand.
    rows, columns = bands(left, 8), bands(right, 8)
    grid = sign * forest.marginal(first, second)
    cells = table.cells()
    return Interaction(
        names=names,
        rows=tuple(left.value(_middle(left, group)) for group in rows),
        columns=tuple(right.value(_middle(right, group)) for group in columns),
        means=tuple(
            tuple(
                float(left.weights[row] @ grid[np.ix_(row, column)] @ right.weights[column])
                / float(left.weights[row].sum() * right.weights[column].sum())
                for column in columns
            )
            for row in rows
        ),
        counts=tuple(
            tuple(int((np.isin(cells[:, first], row) & np.isin(cells[:, second], column)).sum()) for column in columns)
            for row in rows
        ),
    )


def _sentence(target: Target, parameters: tuple[Effect, ...]) -> str:
    sure = [effect.name for effect in parameters if _is_sure(effect)]
    trials = f"{len(target.trials)} trials"
    if not sure:
        return f"From {trials}, no hyperparameter has an effect on {target.told} beyond its uncertainty."
    return f"From {trials}, {', '.join(sure)} {'change' if len(sure) > 1 else 'changes'} {target.told} on average."


def _is_sure(effect: Effect) -> bool:
    """True if some value is surely above another."""
    return max(point.low for point in effect.average) > min(point.high for point in effect.average)
