"""Prefect task: train one segment of a trial."""

from prefect import task

from pegbox.execution.crew import Crew
from pegbox.schemas.data import PreparedData
from pegbox.schemas.trial import Segment, TrainedSegment
from pegbox.tasks.caching import SegmentKey
from pegbox.tasks.concurrency_limit import within_limit


@task(
    name="train-trial",
    task_run_name="trial-{segment.trial:04d}",
    cache_policy=SegmentKey(step="train"),
    persist_result=True,
    result_serializer="json",
)
def train_trial(segment: Segment, data: PreparedData | None, crew: Crew) -> TrainedSegment:
    """Train in a worker process from one budget to the next, once the study's limit has a free slot.

    Raises:
        TrialError: The attempt failed; carries why.
    """
    with within_limit(crew.terms.limit):
        return crew.train(segment, data)
