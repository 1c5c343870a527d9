"""Journals what becomes of each segment, and adds the folds of a trial up to its value; submits none."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pegbox.execution.trial_evaluation import evaluation_of_fold, evaluation_of_trial, missing_value, state_after
from pegbox.schemas.events import MetricsReported, SegmentStarted, SegmentTrained, TrialEvaluated, TrialFailed
from pegbox.schemas.failure import Failure
from pegbox.schemas.training_place import TrialSeed
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment, TrialState
from pegbox.storage.study_log import StudyLog


@dataclass(frozen=True)
class _Measured:
    """One fold that is done."""

    segment: Segment
    trained: TrainedSegment
    evaluation: Evaluation


class SegmentRecords:
    """Writes the history of a study's segments; a trial with folds has a value when its last fold has.

    Args:
        study: Where the events go.
        n_folds: Of the study's data; 1 where it is split once.
    """

    def __init__(self, study: StudyLog, n_folds: int) -> None:
        self._study = study
        self._n_folds = n_folds
        self._folds: dict[TrialSeed, list[_Measured]] = defaultdict(list)

    def started(self, segment: Segment) -> None:
        """A segment is about to be handed to a worker."""
        self._study.record(SegmentStarted(study=segment.study, run=self._study.run, segment=segment))

    def trained(self, segment: Segment, trained: TrainedSegment, *, is_cached: bool, has_reports: bool) -> None:
        """A segment was trained, or found in the cache.

        Args:
            segment: What was to be trained.
            trained: What came of it.
            is_cached: True where it was found.
            has_reports: True where its reports are journalled here, since no worker has done so.
        """
        if has_reports:
            self._study.report(*(MetricsReported.of(segment, one.step, one.metrics) for one in trained.reports))
        self._study.record(
            SegmentTrained(
                **dict(segment.place),
                study=segment.study,
                from_budget=segment.from_budget,
                to_budget=segment.to_budget,
                seed=segment.seed,
                trained=trained.model_copy(update={"reports": ()}),
                cached=is_cached,
            )
        )

    def evaluated(self, segment: Segment, trained: TrainedSegment, measured: Evaluation) -> Failure | None:
        """A fold was measured; the last one gives the trial its value.

        Returns:
            Why the trial counts as failed all the same, which is for the caller to record; None where it has a value.
        """
        evaluation = evaluation_of_fold(segment, trained, measured)
        if failure := missing_value(self._study.history.spec, evaluation):
            return failure
        folds = self._folds[segment.trial_seed]
        folds.append(_Measured(segment, trained, evaluation))
        if self._n_folds > 1:
            # Fold by fold, so that a trial whose first folds are hopeless can be stopped before its last.
            self._record_value(folds[-1:], evaluation, TrialState.RUNNING)
        if len(folds) == self._n_folds:
            trial = self._study.history.trials[segment.trial]
            mean = evaluation_of_trial(trial, [fold.evaluation for fold in folds])
            self._record_value(folds, mean, state_after(self._study.history.spec, trained))
            self.drop(segment.trial_seed)
        return None

    def failed(self, segment: Segment, failure: Failure, *, is_final: bool) -> None:
        """An attempt failed; final where no other follows."""
        self._study.record(TrialFailed(**dict(segment.place), study=segment.study, failure=failure, final=is_final))

    def drop(self, which: TrialSeed) -> None:
        """Forget the folds of a trial that will get no value."""
        self._folds.pop(which, None)

    def is_over(self, which: TrialSeed) -> bool:
        """True for a fold whose trial was stopped, or failed on another fold, while it was on its way."""
        trial = self._study.history.trials[which.trial]
        if which.replicate is None:
            return trial.state.is_finished
        return which.replicate in trial.failed_replicates

    def _record_value(self, folds: Sequence[_Measured], evaluation: Evaluation, state: TrialState) -> None:
        segment = folds[0].segment
        self._study.record(
            TrialEvaluated(
                study=segment.study,
                trial=segment.trial,
                evaluation=evaluation,
                state=state,
                checkpoints={
                    fold.segment.fold: fold.trained.checkpoint for fold in folds if fold.trained.checkpoint is not None
                },
            )
        )
