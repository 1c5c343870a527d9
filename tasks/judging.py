"""What a measured segment means for its trial; compares no trials with each other."""

from collections.abc import Sequence

from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment, Trial, TrialState, mean_evaluation


def evaluation_of_fold(segment: Segment, trained: TrainedSegment, measured: Evaluation) -> Evaluation:
    """What was measured, with the last report's metrics for all that evaluation does not measure itself."""
    reported = trained.reports[-1].metrics if trained.reports else {}
    return Evaluation(
        budget=trained.budget,
        metrics={**reported, **measured.metrics},
        seconds=trained.seconds,
        fold=segment.fold,
        replicate=segment.replicate,
    )


def evaluation_of_trial(trial: Trial, folds: Sequence[Evaluation]) -> Evaluation:
    """The mean over folds; its seconds count from the beginning of the trial."""
    mean = mean_evaluation(folds)
    if mean.replicate is not None or not trial.evaluations:
        return mean
    return mean.model_copy(update={"seconds": mean.seconds + trial.evaluations[-1].seconds})


def missing_metric(spec: StudySpec, evaluation: Evaluation) -> Failure | None:
    """The failure of a trial that was trained but has no value for an objective, or no cost where costs are limited."""
    needed = {objective.metric: "change the objective" for objective in spec.goals}
    if spec.budget.cost is not None:
        needed["cost"] = "leave budget.cost out"
    missing = next((name for name in needed if name not in evaluation.metrics), None)
    if missing is None:
        return None
    return Failure(
        kind=FailureKind.INVALID,
        message=f"expected the metric {missing!r} as a finite number, got "
        f"{', '.join(sorted(evaluation.metrics)) or 'no metric at all'}. Report it, or {needed[missing]}.",
    )


def state_after(spec: StudySpec, trained: TrainedSegment) -> TrialState:
    """Completed at the full budget, or where patience ended training; paused at a rung."""
    is_complete = trained.budget >= spec.full_budget or trained.stopped_early
    return TrialState.COMPLETED if is_complete else TrialState.PAUSED
