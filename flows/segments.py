"""Drives segments through training and evaluation: what waits, what is on its way, what ended; decides nothing."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from pegbox.flows.checkpoint_cleanup import CheckpointCleanup
from pegbox.flows.completions import Completion, Completions
from pegbox.flows.engines.cluster_engine import cluster_lost
from pegbox.flows.interruption import Interruption
from pegbox.flows.retry_backoff import RetryBackoff
from pegbox.flows.segment_records import SegmentRecords
from pegbox.flows.segment_tasks import SegmentTasks
from pegbox.schemas.errors import StudyInterruptedError, TrialError
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.train import MEASURES_ITSELF
from pegbox.schemas.training_place import TrialSeed
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment
from pegbox.storage.study_log import StudyLog
from pegbox.training.user_metrics import reported_evaluation

# Picked by hand: to ask costs a cluster some milliseconds, and who waits for it wants to know within the minute.
LOOK_SECONDS = 10.0
"""How often the cluster is looked at while no task ends: tasks of one that is gone may never end."""


@dataclass(frozen=True)
class _Ongoing:
    """A segment in training or, once `trained`, in evaluation."""

    segment: Segment
    trained: TrainedSegment | None = None


class SegmentRunner:
    """Keeps the workers busy with the segments it is given.

    Each segment becomes two Prefect task runs, train-trial and evaluate-trial, or the first alone where training has
    reported all that there is to measure. Everything happens in the flow's own thread; what becomes of a segment,
    `SegmentRecords` writes into the history.
    """

    def __init__(self, study: StudyLog, tasks: SegmentTasks, interruption: Interruption) -> None:
        self._study = study
        self._tasks = tasks
        self.order = tasks.order
        self._because: dict[TrialSeed, UUID | None] = {}
        self._crew = tasks.crew
        self._data = tasks.data
        self._interruption = interruption
        self.cleanup = CheckpointCleanup(study)
        self._waiting: deque[Segment] = deque()
        self._backoff = RetryBackoff(study.history.spec.run.retries)
        self._records = SegmentRecords(study, n_folds=tasks.data.n_folds if tasks.data else 1)
        self._ongoing: Completions[_Ongoing] = Completions()
        interruption.tell(self._ongoing.wake)

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
        """True while a segment waits or is on its way."""
        return bool(self._waiting or self._backoff or self._ongoing)

    def add(self, segments: Iterable[Segment]) -> None:
        """Train these as soon as workers are free."""
        for segment in segments:
            # Now, as it may wait for a worker until the next decision was made.
            self._because[segment.trial_seed] = self.order.decision
            self._waiting.append(segment)
        self._fill()

    def settle(self, judge: Callable[[], object] = lambda: None) -> None:
        """Wait a while for one task to end, if one is on its way, record what that means, and go on with what waits.

        Args:
            judge: Called in between; may `drop` what is not worth going on with.

        Raises:
            StudyInterruptedError: A signal came, and what was running has been let finish; or Prefect cancelled the
                run, and it has not.
            ClusterLostError: The whole cluster went away.
            Exception: What a task raised that is no failure of its trial.
        """
        if self._ongoing or self._backoff:
            completion = self._ongoing.next(self._seconds_to_wait())
            if completion:
                self._take(completion)
            else:
                self._check_cluster()
        self.cleanup.look()
        judge()
        self._fill()

    def _seconds_to_wait(self) -> float:
        rest = self._backoff.seconds_left()
        return LOOK_SECONDS if rest is None else min(rest, LOOK_SECONDS)

    def drop(self, which: TrialSeed) -> None:
        """Train no further fold of a trial, or of a fresh seed of it."""
        self._waiting = deque(one for one in self._waiting if one.trial_seed != which)
        self._backoff.drop(which)
        self._records.drop(which)

    def _take(self, completion: Completion[_Ongoing]) -> None:
        if not isinstance(completion.outcome, TrainedSegment):  # which its evaluation follows on
            self.order.ended(completion.task_run)
        match completion.outcome:
            case TrainedSegment() as trained:
                self._trained(completion, trained)
            case Evaluation() as evaluation:
                self._evaluated(completion.about, evaluation)
            case TrialError(failure=failure):
                if failure.kind is FailureKind.LOST:
                    self._check_cluster()
                self._failed(completion.about.segment, failure)
            case BaseException() as error:
                raise error

    def _fill(self) -> None:
        if self._interruption.is_requested:
            self._waiting.clear()
            self._backoff.clear()
            if not self._ongoing or self._interruption.is_cancelled:
                raise StudyInterruptedError(
                    f"Study {self._study.history.spec.name!r} was interrupted. The same command goes on with it."
                )
        # Before what waits: its trial began earlier, and a rung or a set of folds may wait for it.
        self._waiting.extendleft(self._backoff.due())
        while self._waiting and len(self._ongoing) < self._crew.capacity:
            self._submit(self._waiting.popleft())

    def _check_cluster(self) -> None:
        if why := self._crew.why_lost():
            raise cluster_lost(self._study.history.spec.name, why)

    def _submit(self, segment: Segment) -> None:
        # Before each task is handed out, too: Ray waits for a head that is gone until it ends this process.
        self._check_cluster()
        self._crew.prepare(segment, self._data)
        # Recorded before it is handed out: after kill -9 the history must know of all that a worker may still be
        # training.
        self._records.started(segment)
        self._ongoing.add(_Ongoing(segment), self._tasks.train(segment, self._because[segment.trial_seed]))

    def _trained(self, completion: Completion[_Ongoing], trained: TrainedSegment) -> None:
        segment = completion.about.segment
        if completion.is_cached and not trained.is_whole:
            self._check_cluster()
            self._ongoing.add(_Ongoing(segment), self._tasks.train_again(segment, completion.task_run))
            return
        has_reports = completion.is_cached or self._crew.reports_at_end  # no worker has journalled them
        self._records.trained(segment, trained, is_cached=completion.is_cached, has_reports=has_reports)
        if isinstance(segment.train, MEASURES_ITSELF):
            self._crew.collect(segment, trained, self._data)
            self.order.ended(completion.task_run)
            self._evaluated(_Ongoing(segment, trained), reported_evaluation(segment, trained, "valid"))
            return
        if not self._records.is_over(segment):
            self._check_cluster()
            evaluated = self._tasks.evaluate(segment, trained, completion.task_run)
            self._ongoing.add(_Ongoing(segment, trained), evaluated)
        # After the submission, so that the evaluation begins while a checkpoint comes from far.
        self._crew.collect(segment, trained, self._data)

    def _evaluated(self, ongoing: _Ongoing, measured: Evaluation) -> None:
        segment, trained = ongoing.segment, ongoing.trained
        if trained is None:
            raise ValueError(f"trial {segment.trial} was evaluated before it was trained.")
        if self._records.is_over(segment):
            return
        if failure := self._records.evaluated(segment, trained, measured):
            self._failed(segment, failure)

    def _failed(self, segment: Segment, failure: Failure) -> None:
        if self._records.is_over(segment):
            return
        again = self._backoff.allows(segment, failure)
        # Before it waits: an attempt must be known to have failed when the next one starts.
        self._records.failed(segment, failure, is_final=not again)
        if again:
            self._backoff.retry(segment)
        else:
            self.drop(segment.trial_seed)
