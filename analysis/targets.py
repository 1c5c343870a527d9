"""What a statistic of this room is about: a value of every trial it may be asked of; no statistic of its own."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pegbox.analysis.ranking import comparable, held
from pegbox.analysis.unit_columns import Array, columns_of
from pegbox.schemas.history import History
from pegbox.schemas.plan import EPOCHS, Objective, counted
from pegbox.schemas.trial import Evaluation, Trial, TrialState

ENOUGH = 20
ENOUGH_A_PARAMETER = 3
"""Trials that must have been compared at a rung for it to speak for the others: of few, most were promoted there, and
differ too little in what made them good. Picked by hand on 60 trials of 9 parameters."""

About = Literal["value", "seconds", "failure"]
"""The objective, the training time, or whether a trial fails."""


@dataclass(frozen=True)
class Target:
    """Trials with a number each.

    Attributes:
        name: The metric, `seconds` or `failure`.
        trials: By number.
        losses: Shape (n_trials,), small is good.
        n_capped: How many losses were so far off that they were drawn in.
        budget: The rung at which they were measured; None for the full budget.
        fidelity: What the rung counts.
    """

    name: str
    trials: tuple[Trial, ...]
    losses: Array
    n_capped: int = 0
    budget: int | None = None
    fidelity: str = EPOCHS

    @property
    def told(self) -> str:
        """The name, and the rung where it is not the last one."""
        return self.name if self.budget is None else f"{self.name} after {counted(self.fidelity, self.budget)}"

    @property
    def is_flat(self) -> bool:
        """True if all losses are equal."""
        return len(self.losses) == 0 or bool(np.ptp(self.losses) <= 1e-12 * max(1.0, float(np.abs(self.losses).max())))


def target_of(history: History, about: About = "value", objective: int = 0) -> Target:
    """The numbers that a statistic is about.

    Values are those at the highest rung where enough trials were compared: a schedule leaves few for the full budget,
    and these were chosen by what is to be found out. Losses further than three interquartile ranges above the third
    quartile are drawn in to there: else one trial that diverged would be all the variance there is.

    Args:
        objective: Position of the objective, where the study has several.
    """
    goal, of = history.objectives[objective], history.spec.fidelity.of
    match about:
        case "value":
            measured, budget = _compared(history, goal)
            losses = np.array([held(goal.loss(one.metrics[goal.metric])) for _, one in measured])
            capped = _draw_in(losses)
            trials = tuple(trial for trial, _ in measured)
            return Target(goal.metric, trials, capped, int((capped != losses).sum()), budget, of)
        case "seconds":
            measured, budget = _compared(history, goal)
            seconds = _draw_in(np.array([one.seconds for _, one in measured]))
            return Target("seconds", tuple(trial for trial, _ in measured), seconds, budget=budget, fidelity=of)
        case "failure":
            trials = tuple(trial for trial in history.trials if trial.state.is_finished)
            failed = [trial.state is TrialState.FAILED for trial in trials]
            return Target("failure", trials, np.array(failed, dtype=float))


def _compared(history: History, goal: Objective) -> tuple[list[tuple[Trial, Evaluation]], int | None]:
    """Trials with what was measured of them at one rung, and that rung; None for the full budget."""
    full = [(trial, trial.evaluations[-1]) for trial in comparable(history, goal)]
    rungs = history.spec.rungs
    enough = max(ENOUGH, ENOUGH_A_PARAMETER * sum(column.n_cells > 1 for column in columns_of(history.space)))
    if len(full) >= enough or len(rungs) == 1:
        return full, None
    below = [(_at_rung(history, goal, rung), rung) for rung in reversed(rungs[:-1])]
    found, rung = next((one for one in below if len(one[0]) >= enough), max(below, key=lambda one: len(one[0])))
    return (found, rung) if len(found) > len(full) else (full, None)


def _at_rung(history: History, goal: Objective, rung: int) -> list[tuple[Trial, Evaluation]]:
    """Trials that were compared at a rung; one that patience ended below it holds its last value."""
    found = []
    for trial in history.trials:
        reached = [one for one in trial.evaluations if one.budget <= rung and goal.metric in one.metrics]
        is_there = trial.budget >= rung or trial.state is TrialState.COMPLETED
        if reached and is_there and trial.state is not TrialState.FAILED:
            found.append((trial, reached[-1]))
    return found


def _draw_in(losses: Array) -> Array:
    if len(losses) < 4:
        return losses
    # Tukey's outer fence; the lower side is left alone, because what lies there is what the search looks for.
    lower, upper = np.quantile(losses, [0.25, 0.75])
    return np.asarray(np.minimum(losses, upper + 3 * (upper - lower))) if upper > lower else losses
