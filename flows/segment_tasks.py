"""The two Prefect tasks of a segment, with the crew and the data that they need; waits for neither."""

from typing import Literal

from prefect.futures import PrefectFuture

from pegbox.execution.crew import Crew
from pegbox.schemas.data import PreparedData
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment
from pegbox.storage.study_log import StudyLog
from pegbox.tasks.caching import cache_of
from pegbox.tasks.evaluate_trial import evaluate_trial
from pegbox.tasks.train_trial import train_trial


class SegmentTasks:
    """Submits segments of one study; results are found again below its store."""

    def __init__(self, study: StudyLog, crew: Crew, data: PreparedData | None) -> None:
        self.crew = crew
        self.data = data
        cache = cache_of(study.store, study.history.spec.run.shared)
        self._train = train_trial.with_options(result_storage=cache)
        self._evaluate = evaluate_trial.with_options(result_storage=cache)

    def train(self, segment: Segment) -> PrefectFuture[TrainedSegment]:
        """Train a segment, or find what is known of it."""
        return self._train.submit(segment, self.data, self.crew)

    def train_again(self, segment: Segment) -> PrefectFuture[TrainedSegment]:
        """Train what the cache holds of a segment whose checkpoint was deleted."""
        return self._train.with_options(refresh_cache=True).submit(segment, self.data, self.crew)

    def evaluate(
        self, segment: Segment, trained: TrainedSegment, part: Literal["valid", "test"] = "valid"
    ) -> PrefectFuture[Evaluation]:
        """Measure a trained segment on one part of its data."""
        return self._evaluate.submit(segment, trained, self.data, self.crew, part)
