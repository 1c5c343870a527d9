"""Whether the search and the training still gain: best value over trials, value over rungs; compares no parameters."""

from shlex import quote

import numpy as np

from pegbox.analysis.advice import Advice
from pegbox.analysis.advised_commands import branch
from pegbox.analysis.feasibility import feasible
from pegbox.analysis.ranking import observed_loss, ranked
from pegbox.analysis.surrogate import fit_surrogate
from pegbox.analysis.targets import target_of
from pegbox.analysis.unit_columns import Array, tabulate
from pegbox.schemas.history import History
from pegbox.schemas.trial import Trial

MIN_TRIALS = 20
N_BEST = 5
STILL_FALLING = 0.8
"""Share of the best trials that must have gained in the last rung."""


def measurement_noise(history: History) -> float:
    """Standard deviation of one measurement: of the fresh seeds where there are some, else what a surrogate says."""
    measured = history.replicate_noise(history.objectives[0])
    if measured is not None:
        return measured
    target = target_of(history)
    table = tabulate(history.space, target.trials)
    return 0.0 if not table.columns else fit_surrogate(table, target.losses).noise


def no_gain_lately(history: History) -> Advice | None:
    """Advice to stop where the last half of at least 20 trials gained less than the noise of one measurement.

    Several objectives get none: a front grows where none of them gains.
    """
    trials = feasible(history, target_of(history).trials)
    if len(trials) < MIN_TRIALS or len(history.objectives) > 1:
        return None
    objective = history.objectives[0]
    losses = np.array([observed_loss(trial, objective) for trial in trials])
    half = len(trials) // 2
    gain = float(losses[:half].min() - losses.min())
    if gain > measurement_noise(history):
        return None
    return Advice(
        kind="stagnation",
        what="Stop here, or change something other than these hyperparameters: more trials of the same bring little.",
        evidence=f"The last {len(trials) - half} of {len(trials)} trials improved {objective.metric} by {gain:.3g}, "
        "less than the noise of one measurement.",
        command=f"pegbox {'best' if history.search_end or history.selection else 'stop'} {quote(history.spec.name)}",
    )


def still_falling(history: History) -> Advice | None:
    """Advice to train longer where the best trials still gained in their last rung; None without several rungs."""
    objective = history.objectives[0]
    if not target_of(history).trials:
        return None
    best = [trial for trial in ranked(history, objective) if len(trial.evaluations) > 1][:N_BEST]
    if len(best) < N_BEST:
        return None
    gains = np.array([_last_gain(history, trial) for trial in best])
    noise = measurement_noise(history)
    if (gains > 0).mean() < STILL_FALLING or float(np.median(gains)) <= noise:
        return None
    epochs, before = best[0].evaluations[-1].budget, best[0].evaluations[-2].budget
    entries = ["train.epochs"] if history.spec.fidelity.max is None else ["train.epochs", "fidelity.max"]
    longer = history.spec.fidelity.factor * epochs
    return Advice(
        kind="budget",
        what=f"Train longer: the best trials still improve at {epochs} epochs.",
        evidence=f"From epoch {before} to {epochs}, {int((gains > 0).sum())} of the best {N_BEST} trials improved "
        f"{objective.metric}, by {float(np.median(gains)):.3g} in the median.",
        command=branch(history, *(f"{entry}={longer}" for entry in entries)),
    )


def _last_gain(history: History, trial: Trial) -> float:
    """What the last rung gained, positive for better; 0 where patience ended the trial before its budget."""
    objective = history.objectives[0]
    values = [one.metrics.get(objective.metric) for one in trial.evaluations[-2:]]
    if None in values or trial.budget < trial.to_budget:
        return 0.0
    losses: Array = np.array([objective.loss(value) for value in values if value is not None])
    return float(losses[0] - losses[1])
