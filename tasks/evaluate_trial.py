"""Prefect task: measure one trained segment."""

from typing import Literal

from prefect import task

from pegbox.execution.crew import Crew
from pegbox.schemas.data import PreparedData
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment
from pegbox.tasks.caching import SegmentKey


@task(
    name="evaluate-trial",
    task_run_name="evaluate-{segment.trial:04d}",
    # Apart from training in the cache: one content, and another result.
    cache_policy=SegmentKey(step="evaluate"),
    persist_result=True,
    result_serializer="json",
)
def evaluate_trial(
    segment: Segment,
    trained: TrainedSegment,
    data: PreparedData | None,
    crew: Crew,
    part: Literal["valid", "test"] = "valid",
) -> Evaluation:
    """Metrics on the validation part, or once, for the winner, on the test part.

    Raises:
        TrialError: The model could not be loaded or measured.
    """
    return crew.evaluate(segment, trained, data, part)
