"""Trains by calling a user's function; what it returns and reports are the metrics, its files the checkpoint."""

import inspect
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pegbox.schemas.arrays import Splits
from pegbox.schemas.base import Configuration
from pegbox.schemas.errors import TrialError, suggest
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.parameter_groups import gather_groups
from pegbox.schemas.plan import EPOCHS
from pegbox.schemas.running_trial import set_running
from pegbox.schemas.train import FunctionTrain
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment
from pegbox.training.check_code import TRIAL_ARGUMENT, is_define_by_run, reads_budget_of_trial
from pegbox.training.checkpoint_directory import checkpoint_directory
from pegbox.training.failures import failed
from pegbox.training.random_streams import seed_everything
from pegbox.training.ranks import Send, n_processes, run_ranks
from pegbox.training.resources import peak_memory_bytes, process_name, reset_peak_memory
from pegbox.training.trainer import EvaluatedPart, Report
from pegbox.training.trial_handle import TrialHandle, of_rank
from pegbox.training.user_code import import_function
from pegbox.training.user_metrics import Reports, reported_evaluation, returned_numbers


class FunctionTrainer:
    """A `Trainer` for functions: `def run(lr, units, trial)` or Optuna's `def objective(trial)`."""

    def train(self, segment: Segment, data: Splits | None, checkpoints: Path, report: Report) -> TrainedSegment:
        """See `Trainer.train`; a function that leaves no files begins anew with every segment."""
        if not isinstance(segment.train, FunctionTrain):
            raise failed(FailureKind.INVALID, f"a function trainer cannot train the kind {segment.train.kind!r}.")
        started_at, started = time.time(), time.perf_counter()
        reset_peak_memory()
        function = import_function(segment.train.function)
        reports = Reports(report, segment.objectives)
        fingerprint = data.info.fingerprint if data else ""
        with checkpoint_directory(segment, fingerprint, checkpoints) as directory:
            handle = TrialHandle(segment, data, directory, reports)
            was_pruned = _train(function, segment, handle, reports)
        gave_up = was_pruned and reports.reached < segment.to_budget
        return TrainedSegment(
            budget=max(1, reports.reached) if gave_up else segment.to_budget,
            checkpoint=directory.kept,
            reports=reports.all,
            seconds=time.perf_counter() - started,
            device=handle.device,
            peak_memory_bytes=peak_memory_bytes(),
            worker=process_name(),
            started_at=started_at,
            stopped_early=gave_up,
            restarted=segment.from_budget > 0 and directory.resume is None,
        )

    def evaluate(
        self, segment: Segment, trained: TrainedSegment, data: Splits | None, part: EvaluatedPart
    ) -> Evaluation:
        """See `Trainer.evaluate`; the last values that were reported or returned."""
        return reported_evaluation(segment, trained, part)


def _train(function: Callable[..., Any], segment: Segment, handle: TrialHandle, reports: Reports) -> bool:
    """Call the function, in as many processes as a trial has; True if it ended itself by Optuna's TrialPruned."""
    if (n := n_processes()) == 1:
        return _call_as_trial(function, segment, handle, reports)

    def body(rank: int, send: Send) -> bool:
        # What rank 0 reports is judged there, so that the function can be ended by it, and taken note of here.
        own = Reports(lambda step, metrics: None, segment.objectives)
        own.follow(send)
        return _call_as_trial(function, segment, of_rank(handle, rank, own), own)

    was_pruned: bool = run_ranks(n, body, lambda sent: reports.add(*sent))
    return was_pruned


def _call_as_trial(function: Callable[..., Any], segment: Segment, handle: TrialHandle, reports: Reports) -> bool:
    seed_everything(segment.seed)
    set_running(handle)  # for callbacks of other libraries, which are not handed it
    try:
        return _call(function, segment, handle, reports)
    finally:
        set_running(None)


def _call(function: Callable[..., Any], segment: Segment, handle: TrialHandle, reports: Reports) -> bool:
    """Call the function and take note of what it returns; True if it ended itself by Optuna's TrialPruned."""
    arguments = bind_arguments(function, _taken(function, segment), handle)
    own_pid = os.getpid()
    was_pruned = False
    returned = None
    try:
        returned = function(**arguments)
    except Exception as error:
        was_pruned = any(kind.__name__ == "TrialPruned" for kind in type(error).__mro__)
        if not was_pruned or isinstance(error, TrialError):
            raise
    finally:
        if os.getpid() != own_pid:
            os._exit(0)  # a child that the function forked and that came back; only its parent goes on
    source = getattr(function, "__name__", "the function")
    numbers = returned_numbers(returned, source, segment.objectives)
    reports.add(max(reports.steps, default=segment.to_budget), numbers)
    if not reports.can_be_judged:
        message = f"{source} returned {returned!r} and reported nothing. Return a number or a mapping of metrics."
        raise failed(FailureKind.INVALID, message)
    return was_pruned


def _taken(function: Callable[..., Any], segment: Segment) -> Configuration:
    """The configuration; without the amount of another fidelity where the function reads it as `trial.budget`."""
    if segment.fidelity == EPOCHS or not reads_budget_of_trial(_argument_names(function), segment.fidelity):
        return segment.configuration
    return {name: value for name, value in segment.configuration.items() if name != segment.fidelity}


def _argument_names(function: Callable[..., Any]) -> list[str]:
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # a built-in function without a signature
        return []


def bind_arguments(function: Callable[..., Any], configuration: Configuration, trial: TrialHandle) -> dict[str, Any]:
    """What to call the function with.

    Raises:
        TrialError: It takes other names than the configuration gives.
    """
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # a built-in function without a signature
        return dict(configuration)
    takes_any = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    named = [name for name, one in parameters.items() if one.kind in {one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY}]
    if is_define_by_run(named, takes_any):
        return {TRIAL_ARGUMENT: trial}
    arguments: dict[str, Any] = dict(configuration) if takes_any else gather_groups(configuration, named)
    if TRIAL_ARGUMENT in named:
        arguments[TRIAL_ARGUMENT] = trial
    unknown = [name for name in arguments if name not in named and not takes_any]
    missing = [name for name in named if name not in arguments and parameters[name].default is inspect.Parameter.empty]
    if unknown or missing:
        what = f"takes no {unknown[0]!r}" if unknown else f"needs {missing[0]!r}"
        hint = suggest((unknown or missing)[0], named if unknown else configuration)
        raise failed(FailureKind.INVALID, f"{getattr(function, '__name__', function)} {what}. {hint}")
    return arguments
