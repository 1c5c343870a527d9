"""The selection of a study with several objectives: its front, how sure each place on it is, and the knee."""

import numpy as np

from pegbox.analysis.columns import Array
from pegbox.analysis.evidence import LEVEL
from pegbox.analysis.finalists import baseline_trial
from pegbox.analysis.fronts import dominated, hypervolume, knee
from pegbox.analysis.posterior import mean_draws
from pegbox.analysis.replicates import Replicates, gather_replicates, restrict
from pegbox.schemas.errors import NoTrialSucceededError
from pegbox.schemas.history import History
from pegbox.schemas.plan import Objective
from pegbox.schemas.selection import Finalist, FrontPoint, Interval, Selection
from pegbox.schemas.trial import Trial

N_VOLUMES = 400
"""Draws for the interval of the hypervolume."""


def select_from_front(history: History) -> Selection:
    """The knee of the finalists' front, with the whole front beside it.

    The rule: of the finalists that no other dominates by their posterior means, the winner is the one nearest to the
    best of all objectives at once, each scaled to its range over that front. The other finalists of the front are its
    ties: none is better, each trades the objectives in another way.

    Raises:
        NoTrialSucceededError: No finalist has a value of every objective on a fresh seed.
    """
    tables = _common(history)
    trials = tables[0].trials
    draws = _joint_draws(tables)
    estimates = draws.mean(axis=0)
    front = [int(one) for one in np.flatnonzero(~dominated(estimates))]
    winner = front[knee(estimates[front])]
    on_front = np.asarray((~dominated(draws)).mean(axis=0))
    knows_spread = len(draws) > 1
    order = [winner, *(int(one) for one in np.argsort(-on_front, kind="stable") if one != winner)]
    baseline = baseline_trial(history)
    goal = history.objectives[0]
    return Selection(
        study=history.spec.name,
        metric=goal.metric,
        goal=goal.goal,
        winner=trials[winner].number,
        configuration=trials[winner].configuration,
        finalists=tuple(_finalist(tables[0], draws, goal, one, float(on_front[one])) for one in order),
        ties=tuple(trials[one].number for one in front if one != winner),
        reason=_reason(history, trials, winner, front),
        baseline=None if baseline is None or baseline not in trials else baseline.number,
        front=tuple(_point(history, tables, draws, one, float(on_front[one])) for one in front),
        hypervolume=_volume_interval(draws) if knows_spread else None,
    )


def _common(history: History) -> list[Replicates]:
    """One table an objective, each of the finalists that have values of all."""
    tables = [gather_replicates(history, objective) for objective in history.objectives]
    shared = set.intersection(*({trial.number for trial in table.trials} for table in tables))
    if not shared:
        names = ", ".join(objective.metric for objective in history.objectives)
        raise NoTrialSucceededError(
            f"Study {history.spec.name!r} needs a finalist with values of {names} on a fresh seed, got none: every "
            "replicate failed or lacks a metric. See the failures for the cause."
        )
    return [restrict(table, shared) for table in tables]


def _joint_draws(tables: list[Replicates]) -> Array:
    """Draws of the true mean losses, shape (n_draws, n_finalists, n_objectives); objectives drawn independently."""
    draws = [mean_draws(table) for table in tables]
    count = max(len(one) for one in draws)
    return np.stack([np.broadcast_to(one, (count, one.shape[1])) for one in draws], axis=-1)


def _finalist(table: Replicates, draws: Array, goal: Objective, position: int, chance: float) -> Finalist:
    trial = table.trials[position]
    losses = table.losses[position]
    values = [goal.loss(float(loss)) for loss in losses[np.isfinite(losses)]]
    search_value = trial.value(goal.metric)
    return Finalist(
        trial=trial.number,
        configuration=trial.configuration,
        search_value=float(np.mean(values)) if search_value is None else search_value,
        values=tuple(values),
        mean=float(np.mean(values)),
        estimate=goal.loss(float(draws[:, position, 0].mean())),
        interval=_interval(goal.loss(1.0) * draws[:, position, 0]),
        probability_best=min(chance, 1.0),
    )


def _point(history: History, tables: list[Replicates], draws: Array, position: int, chance: float) -> FrontPoint:
    goals = history.objectives
    signed = {goal.metric: goal.loss(1.0) * draws[:, position, at] for at, goal in enumerate(goals)}
    intervals = {name: interval for name, one in signed.items() if (interval := _interval(one)) is not None}
    return FrontPoint(
        trial=tables[0].trials[position].number,
        estimates={name: float(one.mean()) for name, one in signed.items()},
        intervals=intervals,
        probability=min(chance, 1.0),
    )


def _interval(draws: Array) -> Interval | None:
    if len(draws) < 2:
        return None
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(low=float(low), high=float(high), level=LEVEL)


def _volume_interval(draws: Array) -> Interval | None:
    """Of the finalists' hypervolume, as a share of the box from their best to a tenth beyond their worst estimates."""
    estimates = draws.mean(axis=0)
    best, worst = estimates.min(axis=0), estimates.max(axis=0)
    if not (worst > best).all():
        return None
    reference = worst + 0.1 * (worst - best)
    box = float((reference - best).prod())
    picks = draws[np.linspace(0, len(draws) - 1, N_VOLUMES).astype(int)]
    return _interval(np.array([hypervolume(one, reference) / box for one in picks]))


def _reason(history: History, trials: tuple[Trial, ...], winner: int, front: list[int]) -> str:
    names = " and ".join(objective.metric for objective in history.objectives)
    number = trials[winner].number
    if len(front) == 1:
        return f"Trial {number} is the best finalist in {names} at once."
    others = ", ".join(str(trials[one].number) for one in front if one != winner)
    return f"Trial {number} is the knee of the front of {names}; trial {others} trade them in another way."
