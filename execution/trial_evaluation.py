"""What a measured segment means for its trial; compares no trials with each other."""

from collections.abc import Sequence

from pegbox.schemas.base import NOT_FINITE, parted
from pegbox.schemas.errors import suggest
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, MetricReport, Segment, TrainedSegment, Trial, TrialState, mean_evaluation


def evaluation_of_fold(segment: Segment, trained: TrainedSegment, measured: Evaluation) -> Evaluation:
    """What was measured, with the last report's metrics for all that evaluation does not measure itself."""
    last = trained.reports[-1] if trained.reports else MetricReport(step=0, metrics={})
    # What was measured comes last and wins: a report may stand for a running mean, or for other weights.
    both: dict[str, float | str] = {**last.metrics, **last.unusable, **measured.metrics, **measured.unusable}
    metrics, unusable = parted(both)
    return Evaluation(
        budget=trained.budget,
        metrics=metrics,
        unusable=unusable,
        seconds=trained.seconds,
        fold=segment.fold,
        replicate=segment.replicate,
        rows=measured.rows,
    )


def evaluation_of_trial(trial: Trial, folds: Sequence[Evaluation]) -> Evaluation:
    """The mean over folds; its seconds count from the beginning of the trial."""
    mean = mean_evaluation(folds)
    # A fresh seed begins at zero, so its seconds are whole; a trial's rungs go on from each other and add up.
    if mean.replicate is not None or not trial.evaluations:
        return mean
    return mean.model_copy(update={"seconds": mean.seconds + trial.evaluations[-1].seconds})


def missing_value(spec: StudySpec, evaluation: Evaluation) -> Failure | None:
    """Why a trial that was trained counts as failed; None where it has every value that the study judges by.

    An objective or constraint whose last word was NaN or infinite has diverged, under any name and for any trainer;
    one that was a text is invalid, and so is an objective without a value, or no cost where costs are limited.
    """
    judged = dict.fromkeys([*(goal.metric for goal in spec.goals), *(limit.metric for limit in spec.constraints)])
    for name in judged:
        if name in evaluation.unusable:
            return _unusable(name, evaluation.unusable[name])
    needed = {objective.metric: "change the objective" for objective in spec.goals}
    if spec.budget.cost is not None:
        needed["cost"] = "leave budget.cost out"
    missing = next((name for name in needed if name not in evaluation.metrics), None)
    if missing is None:
        return None
    came = suggest(missing, evaluation.metrics) if evaluation.metrics else "No metric came at all."
    message = f"expected the metric {missing!r} as a finite number, and it was never given. {came} "
    return Failure(kind=FailureKind.INVALID, message=f"{message}Report it, or {needed[missing]}.")


def _unusable(name: str, text: str) -> Failure:
    if text in NOT_FINITE:
        message = f"{name} was {text} when it was last reported. Lower the learning rate, or check the data."
        return Failure(kind=FailureKind.DIVERGED, message=message)
    message = f"{name} was last given as {text!r}, which is no number, and no part of it is taken for one. "
    return Failure(
        kind=FailureKind.INVALID,
        message=f"{message}Print it as a plain number, such as 1205.13, once and under a name of its own.",
    )


def state_after(spec: StudySpec, trained: TrainedSegment) -> TrialState:
    """Completed at the full budget, or where patience ended training; paused at a rung."""
    is_complete = trained.budget >= spec.full_budget or trained.stopped_early
    return TrialState.COMPLETED if is_complete else TrialState.PAUSED
