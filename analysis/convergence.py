"""Convergence of search and training: stagnation of the best value over trials, learning curves that still fall."""

from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote
from types import MappingProxyType

import numpy as np

from pegbox.analysis.advice import Advice
from pegbox.analysis.advised_commands import branch
from pegbox.analysis.feasibility import feasible
from pegbox.analysis.ranking import comparable, observed_loss, ranked
from pegbox.analysis.surrogate import fit_surrogate
from pegbox.analysis.targets import target_of
from pegbox.analysis.unit_columns import tabulate
from pegbox.schemas.history import History
from pegbox.schemas.plan import counted
from pegbox.schemas.trial import Trial, TrialState

MIN_TRIALS = 20
"""Ten in each half; with fewer, a half without gain is no news. Picked by hand."""
N_BEST = 5
"""By their median, so that two odd curves of the five decide nothing; picked by hand."""
STILL_FALLING = 0.8
"""Share of the best trials that must have gained in the last stretch of their training; one of five may jitter."""
MIN_EPOCHS = 6
"""A shorter curve has no thirds that could be told apart."""

Curves = Mapping[int, Mapping[int, float]]
"""Trial to epoch to value."""


def measurement_noise(history: History) -> float:
    """Standard deviation of one measurement: of the fresh seeds where there are some, else what a surrogate says."""
    measured = history.replicate_noise(history.objectives[0])
    if measured is not None:
        return measured
    target = target_of(history)
    table = tabulate(history.space, target.trials)
    return 0.0 if not table.columns else fit_surrogate(table, target.losses).noise


def stagnation(history: History) -> Advice | None:
    """Advice to stop where the last half of at least 20 trials gained less than the noise of one measurement.

    Several objectives get none: a front grows where none of them gains.
    """
    trials = feasible(history, comparable(history, history.objectives[0]))
    if len(trials) < MIN_TRIALS or len(history.objectives) > 1:
        return None
    objective = history.objectives[0]
    losses = np.array([observed_loss(trial, objective) for trial in trials])
    # Halves of the trials, not a fixed number: gains become rarer as a search goes on, by its logarithm.
    half = len(trials) // 2
    gain = float(losses[:half].min() - losses.min())
    noise = measurement_noise(history)
    if gain > noise:
        return None
    verb = "best" if history.search_end or history.standing_selection else "stop"
    return Advice(
        kind="stagnation",
        what="Stop here, or change something other than these hyperparameters: more trials of the same bring little.",
        evidence=f"The last {len(trials) - half} of {len(trials)} trials improved {objective.metric} by {gain:.3g}, "
        f"no more than the noise of one measurement ({noise:.2g}).",
        command=f"pegbox {verb} {quote(history.spec.name)}",
    )


def unconverged_curves(history: History, curves: Curves = MappingProxyType({})) -> Advice | None:
    """Advice to train longer where what is left to gain exceeds the noise of one measurement.

    Args:
        curves: Trial to its values of the first objective by epoch. Where they are missing, the rungs stand for them.
    """
    objective = history.objectives[0]
    if not comparable(history, objective):
        return None
    found = [(trial, gains) for trial in ranked(history, objective) if (gains := _gains(history, trial, curves))]
    if len(found) < N_BEST:
        return None
    best = found[:N_BEST]
    factor, noise = history.spec.fidelity.factor, measurement_noise(history)
    n_gaining = sum(gains.last > 0 for _, gains in best)
    left = float(np.median([gains.left(factor) for _, gains in best]))
    if n_gaining < STILL_FALLING * N_BEST or left <= noise:
        return None
    reached, since, fidelity = best[0][0].budget, best[0][1].since, history.spec.fidelity
    gained = float(np.median([gains.last for _, gains in best]))
    entries = ["train.epochs"] if fidelity.is_of_epochs else []
    entries += ["fidelity.max"] if fidelity.max is not None else []
    longer = factor * reached
    what = "Train longer" if fidelity.is_of_epochs else f"Give a trial more {fidelity.of}"
    return Advice(
        kind="budget",
        what=f"{what}: the best trials still improve at {counted(fidelity.of, reached)}.",
        evidence=f"From {counted(fidelity.of, since)} to {reached}, {n_gaining} of the best {N_BEST} trials improved "
        f"{objective.metric}, by {gained:.3g} in the median. Going on like this would gain {left:.3g} by "
        f"{longer}; one measurement varies by {noise:.2g}.",
        command=branch(history, *(f"{entry}={longer}" for entry in entries)),
    )


@dataclass(frozen=True)
class _Gains:
    """What the last two stretches of a training gained, positive for better.

    Attributes:
        since: The epoch at which the last stretch began.
        n_stretches: How many stretches of that length make the whole training.
    """

    since: int
    last: float
    before: float
    n_stretches: float

    def left(self, factor: int) -> float:
        """What training so many times as long may gain, where gains go on to shrink as they did so far.

        Exact for a loss that falls exponentially; too little for one that falls more slowly in the end.
        """
        if self.last <= 0:
            return self.last
        ratio = min(self.last / self.before, 1.0) if self.before > 0 else 1.0
        n = round((factor - 1) * self.n_stretches)
        return self.last * (n if ratio == 1 else ratio * (1 - ratio**n) / (1 - ratio))


def _gains(history: History, trial: Trial, curves: Curves) -> _Gains | None:
    """By the curve in thirds, else by the rungs; None where neither is there, or patience ended the trial."""
    objective = history.objectives[0]
    # A trial that patience or a schedule ended says nothing of going on: it was ended because it did not gain.
    if trial.budget < trial.to_budget or trial.state is not TrialState.COMPLETED:
        return None
    curve = curves.get(trial.number, {})
    thirds = [round(trial.budget * third / 3) for third in (1, 2, 3)]
    if trial.budget >= MIN_EPOCHS and all(any(epoch in curve for epoch in _around(end)) for end in thirds):
        first, second, last = (objective.loss(_level(curve, end)) for end in thirds)
        return _Gains(since=thirds[1], last=second - last, before=first - second, n_stretches=3)
    rungs = [one for one in trial.evaluations if objective.metric in one.metrics]
    if len(rungs) < 2:
        return None
    losses = [objective.loss(one.metrics[objective.metric]) for one in rungs]
    last, factor = losses[-2] - losses[-1], history.spec.fidelity.factor
    # Two rungs do not say how gains shrink: as an error that halves where the training doubles.
    before = losses[-3] - losses[-2] if len(losses) > 2 else last * factor
    return _Gains(since=rungs[-2].budget, last=last, before=before, n_stretches=1 / (factor - 1))


def _around(epoch: int) -> range:
    return range(epoch - 1, epoch + 1)


def _level(curve: Mapping[int, float], epoch: int) -> float:
    """The mean of an epoch and the one before it, so that the jitter of a single epoch counts for less."""
    values = [curve[one] for one in _around(epoch) if one in curve]
    return sum(values) / len(values)
