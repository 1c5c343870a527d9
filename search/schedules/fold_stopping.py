"""Early stopping between folds: in cross-validation a trial whose first folds are hopeless does not see the others."""

import numpy as np

from pegbox.schemas.decision import Decision, Stop
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Trial
from pegbox.search.objectives import known_violations, places, total_violation
from pegbox.search.space.axes import Array
from pegbox.search.strategy import Strategy

FEWEST_FOLDS = 2
"""Folds that every trial sees. One could be a fold on which it is unlucky; picked by hand."""
WARMUP = 5
"""Other trials that have seen the same folds, before one of them is judged; as many as Optuna's median pruner waits
for."""


def judges_folds(spec: StudySpec) -> bool:
    """True where a study stops trials early and has folds to stop between."""
    n_folds = spec.data.split.folds if spec.data else None
    return spec.trial_schedule.name != "full" and n_folds is not None and n_folds > FEWEST_FOLDS


def hopeless_between_folds(history: History) -> int | None:
    """A running trial that, on the folds it has seen, is worse than half of all that have seen them; None if none is.

    Trials are compared on the same folds only: one fold is harder than another.

    Source: the median rule of Golovin et al. 2017, section 3.2.2, with folds in the place of epochs.
    """
    if not judges_folds(history.spec):
        return None
    for trial in history.running:
        folds = sorted(_losses(trial, trial, history))
        if len(folds) >= FEWEST_FOLDS and _is_hopeless(trial, folds, history):
            return trial.number
    return None


def _is_hopeless(trial: Trial, folds: list[int], history: History) -> bool:
    # Ranked by fronts and constraints, so that several objectives are judged by the rule that serves one.
    own = _mean(trial, trial, folds, history)
    others = [_mean(other, trial, folds, history) for other in history.trials if other is not trial]
    rows = [row for row in (own, *others) if row is not None]
    if own is None or len(rows) <= WARMUP:
        return False
    losses, violations = np.split(np.array(rows), [len(history.objectives)], axis=1)
    place = places(losses, total_violation(violations))
    return bool(place[0] > np.median(place))


def _mean(trial: Trial, judged: Trial, folds: list[int], history: History) -> Array | None:
    """Mean losses and violations over folds; None where the trial has not seen all of them."""
    losses = _losses(trial, judged, history)
    return np.mean([losses[fold] for fold in folds], axis=0) if losses.keys() >= set(folds) else None


def _losses(trial: Trial, judged: Trial, history: History) -> dict[int, list[float]]:
    """Fold to a loss for each objective and how far it lies outside each constraint, 0 where that was not measured; on
    the stretch of training that the judged trial is in."""
    return {
        evaluation.fold: [
            *(goal.loss(evaluation.metrics[goal.metric]) for goal in history.objectives),
            *known_violations(evaluation.metrics, history.spec.constraints),
        ]
        for evaluation in trial.folds
        if evaluation.fold is not None and judged.budget < evaluation.budget <= judged.to_budget
    }


class FoldStopping:
    """Stops a trial between two folds where it is hopeless; leaves everything else to another strategy."""

    def __init__(self, strategy: Strategy) -> None:
        self._strategy = strategy

    def next(self, history: History, rng: np.random.Generator) -> Decision:
        """The next decision.

        Raises:
            SearchError: The method cannot go on.
        """
        number = hopeless_between_folds(history)
        return Stop(trial=number) if number is not None else self._strategy.next(history, rng)
