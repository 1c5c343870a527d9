"""Drives segments through training and evaluation, and records what becomes of each; decides nothing."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pegbox.execution.trial_evaluation import evaluation_of_fold, evaluation_of_trial, missing_value, state_after
from pegbox.flows.checkpoint_cleanup import CheckpointCleanup
from pegbox.flows.completions import Completion, Completions
from pegbox.flows.engines.cluster_engine import cluster_lost
from pegbox.flows.interruption import Interruption
from pegbox.flows.prefect_events import announce
from pegbox.flows.retry_backoff import RetryBackoff
from pegbox.flows.segment_tasks import SegmentTasks
from pegbox.schemas.errors import StudyInterruptedError, TrialError
from pegbox.schemas.events import MetricsReported, SegmentStarted, SegmentTrained, TrialEvaluated, TrialFailed
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment, TrialState
from pegbox.storage.study_log import StudyLog

# Picked by hand: to ask costs a cluster some milliseconds, and who waits for it wants to know within the minute.
LOOK_SECONDS = 10.0
"""How often the cluster is looked at while no task ends: tasks of one that is gone may never end."""


@dataclass(frozen=True)
class _Ongoing:
    """A segment in training or, once `trained`, in evaluation."""

    segment: Segment
    trained: TrainedSegment | None = None


@dataclass(frozen=True)
class _Measured:
    """One fold that is done."""

    segment: Segment
    trained: TrainedSegment
    evaluation: Evaluation


class SegmentRunner:
    """Keeps the workers busy with the segments it is given.

    Each segment becomes two Prefect task runs, train-trial and evaluate-trial; a trial with folds has a value when its
    last fold has. Everything is recorded here, in the flow's own thread.
    """

    def __init__(self, study: StudyLog, tasks: SegmentTasks, interruption: Interruption) -> None:
        self._study = study
        self._tasks = tasks
        self._crew = tasks.crew
        self._data = tasks.data
        self._interruption = interruption
        self.cleanup = CheckpointCleanup(study)
        self._waiting: deque[Segment] = deque()
        self._backoff = RetryBackoff()
        # Not the attempts: a trial whose drivers died has had some, and none of them failed.
        self._retries: Counter[tuple[int, int | None, int]] = Counter()
        self._n_folds = tasks.data.n_folds if tasks.data else 1
        self._ongoing: Completions[_Ongoing] = Completions()
        self._folds: dict[tuple[int, int | None], list[_Measured]] = defaultdict(list)

    @property
    def n_free(self) -> int:
        """Workers for which nothing is waiting; none once a signal came."""
        if self._interruption.is_requested:
            return 0
        return max(0, self._crew.capacity - len(self._ongoing) - len(self._waiting) - len(self._backoff))

    @property
    def is_ending(self) -> bool:
        """True once a signal came: what is on its way is let finish, and nothing is begun."""
        return self._interruption.is_requested

    @property
    def is_busy(self) -> bool:
        """True while a segment waits, rests or is on its way."""
        return bool(self._waiting or self._backoff or self._ongoing)

    def add(self, segments: Iterable[Segment]) -> None:
        """Train these as soon as workers are free."""
        self._waiting.extend(segments)
        self._fill()

    def settle(self, judge: Callable[[], object] = lambda: None) -> None:
        """Wait a while for one task to end, if one is on its way, record what that means, and go on with what waits.

        Args:
            judge: Called in between; may `drop` what is not worth going on with.

        Raises:
            StudyInterruptedError: A signal came, and what was running has been let finish.
            ClusterLostError: The whole cluster went away.
            Exception: What a task raised that is no failure of its trial.
        """
        if self._ongoing or self._backoff:
            completion = self._ongoing.next(self._seconds_to_wait())
            if completion:
                self._record(completion)
            elif why := self._crew.why_lost():
                raise cluster_lost(self._study.history.spec.name, why)
        self.cleanup.look()
        judge()
        self._fill()

    def _seconds_to_wait(self) -> float:
        rest = self._backoff.seconds_left()
        return LOOK_SECONDS if rest is None else min(rest, LOOK_SECONDS)

    def drop(self, trial: int, replicate: int | None = None) -> None:
        """Train no further fold of a trial, or of a fresh seed of it."""
        self._waiting = deque(one for one in self._waiting if (one.trial, one.replicate) != (trial, replicate))
        self._backoff.drop(trial, replicate)
        self._folds.pop((trial, replicate), None)

    def _record(self, completion: Completion[_Ongoing]) -> None:
        match completion.outcome:
            case TrainedSegment() as trained:
                self._trained(completion, trained)
            case Evaluation() as evaluation:
                self._evaluated(completion.about, evaluation)
            case TrialError(failure=failure):
                if failure.kind is FailureKind.LOST and (why := self._crew.why_lost()):
                    raise cluster_lost(self._study.history.spec.name, why)
                self._failed(completion.about.segment, failure)
            case BaseException() as error:
                raise error

    def _fill(self) -> None:
        if self._interruption.is_requested:
            self._waiting.clear()
            self._backoff.clear()
            if not self._ongoing:
                raise StudyInterruptedError(
                    f"Study {self._study.history.spec.name!r} was interrupted. The same command goes on with it."
                )
        # Before what waits: its trial began earlier, and a rung or a set of folds may wait for it.
        self._waiting.extendleft(self._backoff.rested())
        while self._waiting and len(self._ongoing) < self._crew.capacity:
            self._submit(self._waiting.popleft())

    def _submit(self, segment: Segment) -> None:
        self._crew.prepare(segment, self._data)
        # Recorded before it is handed out: after kill -9 the history must know of all that a worker may still be
        # training.
        self._study.record(SegmentStarted(study=segment.study, run=self._study.run, segment=segment))
        self._ongoing.add(_Ongoing(segment), self._tasks.train(segment))

    def _trained(self, completion: Completion[_Ongoing], trained: TrainedSegment) -> None:
        segment = completion.about.segment
        if completion.is_cached and not trained.is_whole:
            self._ongoing.add(_Ongoing(segment), self._tasks.train_again(segment))
            return
        if completion.is_cached or self._crew.reports_at_end:  # no worker has journalled them
            reports = (MetricsReported.of(segment, report.step, report.metrics) for report in trained.reports)
            self._study.report(*reports)
        self._study.record(
            SegmentTrained(
                study=segment.study,
                trial=segment.trial,
                attempt=segment.attempt,
                from_budget=segment.from_budget,
                to_budget=segment.to_budget,
                fold=segment.fold,
                replicate=segment.replicate,
                seed=segment.seed,
                trained=trained.model_copy(update={"reports": ()}),
                cached=completion.is_cached,
            )
        )
        if not self._is_over(segment):
            self._ongoing.add(_Ongoing(segment, trained), self._tasks.evaluate(segment, trained))
        # After the submission, so that the evaluation begins while a checkpoint comes from far.
        self._crew.collect(segment, trained, self._data)

    def _evaluated(self, ongoing: _Ongoing, measured: Evaluation) -> None:
        segment, trained = ongoing.segment, ongoing.trained
        if trained is None:
            raise ValueError(f"trial {segment.trial} was evaluated before it was trained.")
        if self._is_over(segment):
            return
        evaluation = evaluation_of_fold(segment, trained, measured)
        if failure := missing_value(self._study.history.spec, evaluation):
            self._failed(segment, failure)
            return
        folds = self._folds[segment.trial, segment.replicate]
        folds.append(_Measured(segment, trained, evaluation))
        if self._n_folds > 1:
            # Fold by fold, so that a trial whose first folds are hopeless can be stopped before its last.
            self._record_value(folds[-1:], evaluation, TrialState.RUNNING)
        if len(folds) == self._n_folds:
            trial = self._study.history.trials[segment.trial]
            mean = evaluation_of_trial(trial, [fold.evaluation for fold in folds])
            self._record_value(folds, mean, state_after(self._study.history.spec, trained))
            del self._folds[segment.trial, segment.replicate]

    def _record_value(self, folds: Sequence[_Measured], evaluation: Evaluation, state: TrialState) -> None:
        segment = folds[0].segment
        # Histories are frozen: this one stays what it was, which is how an improvement is seen.
        before = self._study.history
        after = self._study.record(
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
        announce(before, after, segment.trial, evaluation)

    def _is_over(self, segment: Segment) -> bool:
        """True for a fold whose trial was stopped, or failed on another fold, while it was on its way."""
        trial = self._study.history.trials[segment.trial]
        if segment.replicate is None:
            return trial.state.is_finished
        return segment.replicate in trial.failed_replicates

    def _failed(self, segment: Segment, failure: Failure) -> None:
        if self._is_over(segment):
            return
        key = segment.trial, segment.replicate, segment.fold
        again = failure.kind.deserves_retry and self._retries[key] < self._study.history.spec.run.retries
        self._study.record(
            TrialFailed(
                study=segment.study,
                trial=segment.trial,
                attempt=segment.attempt,
                fold=segment.fold,
                replicate=segment.replicate,
                failure=failure,
                final=not again,
            )
        )
        if not again:
            self.drop(segment.trial, segment.replicate)
        else:
            self._retries[key] += 1
            self._backoff.add(segment.model_copy(update={"attempt": segment.attempt + 1}), self._retries[key])
