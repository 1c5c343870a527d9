"""Selection among several objectives: the Pareto front, how sure each place on it is, and its knee."""

from dataclasses import dataclass

import numpy as np

from pegbox.analysis.feasibility import none_feasible
from pegbox.analysis.finalist_result import finalist_result, interval_of
from pegbox.analysis.finalists import baseline_trial
from pegbox.analysis.joint_posterior import JointReplicates, gather_jointly
from pegbox.analysis.pareto_fronts import dominated, hypervolume
from pegbox.analysis.unit_columns import Array
from pegbox.schemas.competition import knee
from pegbox.schemas.errors import NoTrialSucceededError
from pegbox.schemas.history import History
from pegbox.schemas.selection import FrontPoint, Interval, RowNoise, Selection

N_VOLUMES = 400
"""Draws for the interval of the hypervolume: each is a recursion in Python, and ten beyond each end do for 95 %."""


@dataclass(frozen=True, slots=True)
class _Front:
    """The finalists that none dominates, of those that keep the constraints.

    Attributes:
        draws: Of the true mean losses of all finalists, shape (n_draws, n_finalists, n_objectives).
        members: Their positions among the finalists.
        winner: The position of the knee.
        chances: Probability of each finalist to be on the front, shape (n_finalists,); 0 outside the constraints.
    """

    draws: Array
    eligible: list[int]
    members: list[int]
    winner: int
    chances: Array

    def chance(self, position: int) -> float | None:
        """Probability of a finalist to be on the front; None for one that has no other to beat."""
        return None if self.eligible == [position] else min(float(self.chances[position]), 1.0)

    @property
    def order(self) -> list[int]:
        """All finalists, the winner first, the others by their chance."""
        by_chance = np.argsort(-self.chances, kind="stable")
        return [self.winner, *(int(one) for one in by_chance if one != self.winner)]


def select_from_front(history: History, rows: RowNoise | None = None) -> Selection:
    """The knee of the finalists' front, with the whole front beside it.

    The rule: of the finalists that keep the constraints and that no other of them dominates by posterior means, the
    winner is the one nearest to the best of all objectives at once, each scaled to its range over that front. The other
    finalists of the front are its ties: none is better, each trades the objectives in another way.

    Args:
        rows: The noise of the rows in what the finalists lost of the first objective.

    Raises:
        NoTrialSucceededError: No finalist has a value of every objective on a fresh seed, or none keeps the
            constraints.
    """
    joint = gather_jointly(history, rows=rows)
    front = _find_front(history, joint)
    trials, goal, baseline = joint.trials, history.objectives[0], baseline_trial(history)
    return Selection(
        study=history.spec.name,
        metric=goal.metric,
        goal=goal.goal,
        winner=trials[front.winner].number,
        configuration=trials[front.winner].configuration,
        finalists=tuple(
            finalist_result(history, joint.tables[0], at, front.draws[:, at, 0], front.chance(at)) for at in front.order
        ),
        ties=tuple(trials[one].number for one in front.members if one != front.winner),
        reason=_reason(history, joint, front),
        baseline=None if baseline is None or baseline not in trials else baseline.number,
        front=tuple(_point(history, joint, front, at) for at in front.members),
        hypervolume=_volume_interval(front.draws[:, front.eligible]),
        row_noise=rows,
    )


def _find_front(history: History, joint: JointReplicates) -> _Front:
    if not joint.trials:
        names = ", ".join(objective.metric for objective in history.objectives)
        raise NoTrialSucceededError(
            f"Study {history.spec.name!r} needs a finalist with values of {names} on a fresh seed, got none: every "
            "replicate failed or lacks a metric. See the failures for the cause."
        )
    eligible = [position for position, trial in enumerate(joint.trials) if history.may_win(trial)]
    if not eligible:
        raise NoTrialSucceededError(f"{none_feasible(history, joint.trials)} Loosen the constraint, or search longer.")
    draws = joint.draws()
    estimates = draws[:, eligible].mean(axis=0)
    on_front = np.flatnonzero(~dominated(estimates))
    chances = np.zeros(len(joint.trials))
    chances[eligible] = (~dominated(draws[:, eligible])).mean(axis=0)
    return _Front(
        draws=draws,
        eligible=eligible,
        members=[eligible[at] for at in on_front],
        winner=eligible[on_front[knee(estimates[on_front])]],
        chances=chances,
    )


def _point(history: History, joint: JointReplicates, front: _Front, position: int) -> FrontPoint:
    goals = history.objectives
    signed = {goal.metric: goal.loss(1.0) * front.draws[:, position, at] for at, goal in enumerate(goals)}
    intervals = {name: interval for name, one in signed.items() if (interval := interval_of(one)) is not None}
    return FrontPoint(
        trial=joint.trials[position].number,
        estimates={name: float(one.mean()) for name, one in signed.items()},
        intervals=intervals,
        probability=front.chance(position),
    )


def _volume_interval(draws: Array) -> Interval | None:
    """Of the finalists' hypervolume, as a share of the box from their best to a tenth beyond their worst estimates."""
    estimates = draws.mean(axis=0)
    best, worst = estimates.min(axis=0), estimates.max(axis=0)
    if not (worst > best).all() or len(draws) < 2:
        return None
    reference = worst + 0.1 * (worst - best)
    box = float((reference - best).prod())
    picks = draws[np.linspace(0, len(draws) - 1, N_VOLUMES).astype(int)]
    return interval_of(np.array([hypervolume(one, reference) / box for one in picks]))


def _reason(history: History, joint: JointReplicates, front: _Front) -> str:
    names = " and ".join(objective.metric for objective in history.objectives)
    number = joint.trials[front.winner].number
    others = [str(joint.trials[one].number) for one in front.members if one != front.winner]
    if not others:
        return f"Trial {number} is the best finalist in {names} at once."
    trade = "trial {} trades" if len(others) == 1 else "trials {} trade"
    return (
        f"Trial {number} is the knee of the front of {names}: the nearest to the best of each at once. "
        f"{trade.format(', '.join(others)).capitalize()} them in another way."
    )
