"""Measures the winner of a study on the rows that were held out; chooses nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

from prefect.futures import PrefectFuture

from pegbox.execution.segment_plan import SegmentPlan
from pegbox.flows.completions import Completions
from pegbox.flows.segment_tasks import SegmentTasks
from pegbox.flows.task_order import TaskOrder
from pegbox.schemas.history import History
from pegbox.schemas.selection import Selection
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment, Trial, mean_evaluation

Done = TypeVar("Done")


def measure_winner(selection: Selection, history: History, tasks: SegmentTasks, segmenting: SegmentPlan) -> Selection:
    """The selection with its checkpoint and, where rows were held out, the test metrics of its winner.

    The model is the winner's replicate with the best validation value; its training is found in the cache.
    """
    folds: list[Evaluation] = []
    checkpoints: list[Path | None] = []
    for segment in winning_segments(selection, history, segmenting):
        trained, evaluation = train_and_test(segment, tasks)
        checkpoints.append(trained.checkpoint)
        folds += [evaluation] if evaluation else []
    test_metrics = mean_evaluation(folds).metrics if folds else {}
    return selection.model_copy(update={"test_metrics": test_metrics, "checkpoint": checkpoints[0]})


def winning_segments(selection: Selection, history: History, segmenting: SegmentPlan) -> tuple[Segment, ...]:
    """The training of the winner's replicate with the best validation value, one for each fold."""
    return best_replicate(history.trials[selection.winner], history, segmenting)


def best_replicate(trial: Trial, history: History, segmenting: SegmentPlan) -> tuple[Segment, ...]:
    """The training of a finalist's fresh seed with the best validation value, one for each fold."""
    objective = history.objectives[0]
    best = min(trial.replicates, key=lambda one: objective.loss(one.metrics[objective.metric]))
    return segmenting.of_replicate(trial, best.replicate or 0)


def train_and_test(segment: Segment, tasks: SegmentTasks) -> tuple[TrainedSegment, Evaluation | None]:
    """Train a segment, or find it in the cache, and measure it on the held-out rows; None where there are none."""
    trained = train_whole(segment, tasks)
    if tasks.data is None or not tasks.data.has_test:
        return trained, None
    return trained, _outcome(tasks.evaluate(segment, trained, tasks.order.decision, "test"), tasks.order)


def train_whole(segment: Segment, tasks: SegmentTasks) -> TrainedSegment:
    """Train a segment, or find it in the cache; again where its checkpoint was deleted meanwhile."""
    return begin_whole(segment, tasks)()


def begin_whole(segment: Segment, tasks: SegmentTasks) -> Callable[[], TrainedSegment]:
    """Begin what `train_whole` does; what is given waits for it."""
    begun = tasks.train(segment, tasks.order.decision)

    def ended() -> TrainedSegment:
        trained = _outcome(begun, tasks.order)
        tasks.crew.collect(segment, trained, tasks.data)
        return trained if trained.is_whole else _outcome(tasks.train_again(segment, tasks.order.decision), tasks.order)

    return ended


def _outcome(future: PrefectFuture[Done], order: TaskOrder) -> Done:
    """Wait for one task, where nothing else is to be done meanwhile."""
    alone: Completions[None] = Completions()
    alone.add(None, future)
    completion = alone.next()
    assert completion is not None
    order.ended(completion.task_run)
    outcome = completion.outcome
    if isinstance(outcome, BaseException):
        raise outcome
    return cast("Done", outcome)
