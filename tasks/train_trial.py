"""Prefect task: train one segment of a trial."""

from prefect import task

from pegbox.schemas.data import PreparedData
from pegbox.schemas.trial import Segment, TrainedSegment
from pegbox.tasks.caching import SegmentKey
from pegbox.tasks.crew import Crew


@task(
    name="train-trial",
    task_run_name="trial-{segment.trial:04d}",
    cache_policy=SegmentKey(step="train"),
    persist_result=True,
    result_serializer="json",
)
def train_trial(segment: Segment, data: PreparedData | None, crew: Crew) -> TrainedSegment:
    """Train in a worker process from one budget to the next.

    Raises:
        TrialError: The attempt failed; carries why.
    """
    return crew.train(segment, data)
