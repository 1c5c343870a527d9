"""Measures the winner of a study on the rows that were held out; chooses nothing."""

from pathlib import Path
from typing import TypeVar, cast

from prefect.futures import PrefectFuture

from pegbox.execution.segment_plan import SegmentPlan
from pegbox.flows.completions import Completions
from pegbox.flows.segment_tasks import SegmentTasks
from pegbox.schemas.history import History
from pegbox.schemas.selection import Selection
from pegbox.schemas.trial import Evaluation, mean_evaluation

Done = TypeVar("Done")


def measure_winner(selection: Selection, history: History, tasks: SegmentTasks, segmenting: SegmentPlan) -> Selection:
    """The selection with its checkpoint and, where rows were held out, the test metrics of its winner.

    The model is the winner's replicate with the best validation value; its training is found in the cache.
    """
    trial, objective = history.trials[selection.winner], history.objectives[0]
    best = min(trial.replicates, key=lambda one: objective.loss(one.metrics[objective.metric]))
    folds: list[Evaluation] = []
    checkpoints: list[Path | None] = []
    for segment in segmenting.of_replicate(trial, best.replicate or 0):
        trained = _outcome(tasks.train(segment))
        tasks.crew.collect(segment, trained, tasks.data)
        if not trained.is_whole:
            trained = _outcome(tasks.train_again(segment))
        checkpoints.append(trained.checkpoint)
        if tasks.data and tasks.data.has_test:
            folds.append(_outcome(tasks.evaluate(segment, trained, "test")))
    test_metrics = mean_evaluation(folds).metrics if folds else {}
    return selection.model_copy(update={"test_metrics": test_metrics, "checkpoint": checkpoints[0]})


def _outcome(future: PrefectFuture[Done]) -> Done:
    """Wait for one task, where nothing else is to be done meanwhile."""
    alone: Completions[None] = Completions()
    alone.add(None, future)
    completion = alone.next()
    assert completion is not None
    outcome = completion.outcome
    if isinstance(outcome, BaseException):
        raise outcome
    return cast("Done", outcome)
