"""Prefect task: train one segment of a trial."""

import time

from prefect import task

from pegbox.execution.crew import Crew
from pegbox.schemas.data import PreparedData
from pegbox.schemas.errors import TrialError
from pegbox.schemas.trial import Segment, TrainedSegment
from pegbox.tasks.caching import SegmentKey
from pegbox.tasks.concurrency_limit import within_limit


@task(
    name="train-trial",
    task_run_name="trial-{segment.trial:04d}",
    cache_policy=SegmentKey(step="train"),
    persist_result=True,
    # JSON and no pickle: a cached result is read by later versions of this code, and runs none when it is loaded.
    result_serializer="json",
)
def train_trial(segment: Segment, data: PreparedData | None, crew: Crew) -> TrainedSegment:
    """Train in a worker process from one budget to the next, once the study's limit has a free slot.

    Raises:
        TrialError: The attempt failed; carries why, and the seconds that it took.
    """
    with within_limit(crew.run.limit):
        began = time.monotonic()
        try:
            return crew.train(segment, data)
        except TrialError as error:
            # Here and not in the worker: one that was killed can count nothing.
            seconds = time.monotonic() - began
            raise TrialError(error.failure.model_copy(update={"seconds": seconds})) from error
