"""What a statistic of this room is about: a value of every trial it may be asked of; no statistic of its own."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pegbox.analysis.ranking import comparable, observed_loss
from pegbox.analysis.unit_columns import Array
from pegbox.schemas.history import History
from pegbox.schemas.trial import Trial, TrialState

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
    """

    name: str
    trials: tuple[Trial, ...]
    losses: Array
    n_capped: int = 0

    @property
    def is_flat(self) -> bool:
        """True if all losses are equal."""
        return len(self.losses) == 0 or bool(np.ptp(self.losses) <= 1e-12 * max(1.0, float(np.abs(self.losses).max())))


def target_of(history: History, about: About = "value", objective: int = 0) -> Target:
    """The numbers that a statistic is about.

    Losses further than three interquartile ranges above the third quartile are drawn in to there: else one trial that
    diverged would be all the variance there is.

    Args:
        objective: Position of the objective, where the study has several.
    """
    goal = history.objectives[objective]
    match about:
        case "value":
            trials = comparable(history, goal)
            losses = np.array([observed_loss(trial, goal) for trial in trials])
            capped = _draw_in(losses)
            return Target(goal.metric, trials, capped, int((capped != losses).sum()))
        case "seconds":
            trials = comparable(history, goal)
            return Target("seconds", trials, _draw_in(np.array([trial.evaluations[-1].seconds for trial in trials])))
        case "failure":
            trials = tuple(trial for trial in history.trials if trial.state.is_finished)
            failed = [trial.state is TrialState.FAILED for trial in trials]
            return Target("failure", trials, np.array(failed, dtype=float))


def _draw_in(losses: Array) -> Array:
    if len(losses) < 4:
        return losses
    lower, upper = np.quantile(losses, [0.25, 0.75])
    return np.asarray(np.minimum(losses, upper + 3 * (upper - lower))) if upper > lower else losses
