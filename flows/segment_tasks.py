"""The two Prefect tasks of a segment, with the crew and the data that they need; waits for neither."""

from typing import Literal, TypeVar
from uuid import UUID

from prefect.futures import PrefectFuture

from pegbox.execution.crew import Crew
from pegbox.execution.local_crew import LocalCrew
from pegbox.flows.task_order import TaskOrder, following
from pegbox.schemas.data import PreparedData
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment
from pegbox.storage.study_log import StudyLog
from pegbox.tasks.caching import cache_of
from pegbox.tasks.evaluate_trial import evaluate_trial
from pegbox.tasks.quoting import whole
from pegbox.tasks.train_trial import train_trial

Given = TypeVar("Given")


class SegmentTasks:
    """Submits segments of one study; results are found again below its store.

    Args:
        study: The study.
        crew: Who trains.
        data: What is trained on.
        order: What follows on what.
    """

    def __init__(self, study: StudyLog, crew: Crew, data: PreparedData | None, order: TaskOrder) -> None:
        self.order = order
        self.crew = crew
        self.data = data
        cache = cache_of(study.store, study.history.spec.run.shared)
        self._train = train_trial.with_options(result_storage=cache)
        self._evaluate = evaluate_trial.with_options(result_storage=cache)
        self._is_here = isinstance(crew, LocalCrew)

    def _given(self, value: Given) -> Given:
        """An argument, quoted where Prefect's own engine takes it.

        What goes to a cluster is no quote: Dask looks into tuples, a quote is one, and the task is given a plain tuple
        (prefect-dask 0.3).
        """
        return whole(value) if self._is_here else value

    def train(self, segment: Segment, after: UUID | None) -> PrefectFuture[TrainedSegment]:
        """Train a segment, or find what is known of it.

        Args:
            segment: What to train.
            after: The task run that decided so; None where an earlier run of the study did.
        """
        return self._train.submit(
            self._given(segment), self.data, self.crew, wait_for=following(after), return_state=False
        )

    def train_again(self, segment: Segment, after: UUID | None) -> PrefectFuture[TrainedSegment]:
        """Train what the cache holds of a segment whose checkpoint was deleted; it follows on what found that."""
        again = self._train.with_options(refresh_cache=True)
        return again.submit(self._given(segment), self.data, self.crew, wait_for=following(after), return_state=False)

    def evaluate(
        self,
        segment: Segment,
        trained: TrainedSegment,
        after: UUID | None,
        part: Literal["valid", "test"] = "valid",
    ) -> PrefectFuture[Evaluation]:
        """Measure a trained segment on one part of its data.

        Args:
            segment: What was trained.
            trained: What came of it.
            after: The task run that trained it.
            part: Of the data.
        """
        return self._evaluate.submit(
            self._given(segment),
            self._given(trained),
            self.data,
            self.crew,
            part,
            wait_for=following(after),
            return_state=False,
        )
