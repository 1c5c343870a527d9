"""Trains by running a user's program; what it prints or writes are the metrics, its files the checkpoint."""

import json
import sys
import time
from pathlib import Path

from pegbox.schemas.arrays import Splits
from pegbox.schemas.base import Value
from pegbox.schemas.errors import TrialError
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.train import CommandTrain
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment
from pegbox.training.checkpoint_directory import CheckpointDirectory, checkpoint_directory
from pegbox.training.command_line import fill, fill_command
from pegbox.training.command_output import Line, read_file, reader_of
from pegbox.training.command_process import CommandProcess
from pegbox.training.failures import failed, signal_name
from pegbox.training.resources import process_name, visible_gpus
from pegbox.training.trainer import EvaluatedPart, Report
from pegbox.training.user_metrics import Reports, as_numbers, reported_evaluation


class CommandTrainer:
    """A `Trainer` for programs: each segment runs the command once."""

    def train(self, segment: Segment, data: Splits | None, checkpoints: Path, report: Report) -> TrainedSegment:
        """See `Trainer.train`; a program that leaves no files begins anew with every segment."""
        if not isinstance(segment.train, CommandTrain):
            raise failed(FailureKind.INVALID, f"a command trainer cannot train the kind {segment.train.kind!r}.")
        started_at, started = time.time(), time.perf_counter()
        reports = Reports(report, segment.objectives)
        fingerprint = data.info.fingerprint if data else ""
        with checkpoint_directory(segment, fingerprint, checkpoints) as directory:
            values = _values(segment, data, directory)
            _run(segment.train, values, _environment(segment, values), segment.to_budget, reports)
        return TrainedSegment(
            budget=segment.to_budget,
            checkpoint=directory.kept,
            reports=reports.all,
            seconds=time.perf_counter() - started,
            device=str(values["device"]),
            worker=process_name(),
            started_at=started_at,
            restarted=segment.from_budget > 0 and directory.resume is None,
        )

    def evaluate(
        self, segment: Segment, trained: TrainedSegment, data: Splits | None, part: EvaluatedPart
    ) -> Evaluation:
        """See `Trainer.evaluate`; the last values that were printed or written."""
        return reported_evaluation(segment, trained, part)


def _values(segment: Segment, data: Splits | None, directory: CheckpointDirectory) -> dict[str, Value]:
    """What the placeholders stand for; a parameter of the space goes before a name of pegbox's."""
    return {
        "trial": segment.trial,
        "seed": segment.seed,
        "epochs": segment.to_budget,
        "from_epochs": segment.from_budget if directory.resume else 0,
        "checkpoint_dir": str(directory.path),
        "resume_dir": str(directory.resume) if directory.resume else None,
        "data_dir": str((data.info.path / f"fold-{segment.fold}").absolute()) if data else None,
        "device": "cuda" if visible_gpus() else "cpu",
        **segment.configuration,
    }


def _environment(segment: Segment, values: dict[str, Value]) -> dict[str, str]:
    """The same for a program that reads its environment: `PEGBOX_SEED`, ..., and all parameters as JSON."""
    names = ("trial", "seed", "epochs", "from_epochs", "checkpoint_dir", "resume_dir", "data_dir", "device")
    own = {f"PEGBOX_{name.upper()}": str(values[name]) for name in names if values[name] is not None}
    configuration = segment.model_dump(mode="json", include={"configuration"})["configuration"]
    # Python buffers what it prints into a pipe, and metrics should come while the program runs.
    return own | {"PEGBOX_CONFIGURATION": json.dumps(configuration), "PYTHONUNBUFFERED": "1"}


def _run(
    train: CommandTrain, values: dict[str, Value], environment: dict[str, str], budget: int, reports: Reports
) -> None:
    arguments = fill_command(train.command, values)
    read_line = reader_of(train.metrics)
    started = time.time()
    try:
        process = CommandProcess(arguments, environment)
    except OSError as error:
        message = f"the command {arguments[0]!r} could not be started: {error.strerror}. Correct train.command."
        raise failed(FailureKind.INVALID, message) from error
    with process:
        for line in process.lines():
            sys.stdout.write(f"{line}\n")
            _take(read_line(line) if read_line else None, reports, budget)
        code = process.wait()
        if code:
            raise TrialError(_failure_of(arguments[0], code, process.tail()))
        if read_line is None:
            _take_file(Path(fill(train.metrics.partition(":")[2], values)), started, reports, budget)
        if not reports.has_numbers:
            message = f"the command ended well but gave no metric. It is read as {train.metrics!r}: see train.metrics."
            raise failed(FailureKind.INVALID, message, process.tail())


def _take(line: Line | None, reports: Reports, budget: int) -> None:
    """Report a line; one that names no step belongs to the step of the last that did, or to the end."""
    if line is not None:
        step, metrics = line
        reports.add(max(reports.steps, default=budget) if step is None else step, as_numbers(metrics, "the command"))


def _take_file(path: Path, started: float, reports: Reports, budget: int) -> None:
    # A file system keeps times less exactly than the clock that is asked here.
    if not path.is_file() or path.stat().st_mtime < started - 2:
        raise failed(FailureKind.INVALID, f"the command ended well but did not write {str(path)!r}.")
    try:
        lines = read_file(path.read_text())
    except ValueError as error:
        raise failed(FailureKind.INVALID, f"{str(path)!r} holds no metrics: {error}.") from error
    for line in lines:
        _take(line, reports, budget)


def _failure_of(program: str, code: int, tail: str) -> Failure:
    if code < 0:
        return failed(FailureKind.KILLED, f"{program} was ended by {signal_name(-code)}.", tail).failure
    last = next((line.strip() for line in reversed(tail.splitlines()) if line.strip()), "it printed nothing")
    kind = FailureKind.OUT_OF_MEMORY if "MemoryError" in last or "out of memory" in last else FailureKind.ERROR
    return failed(kind, f"{program} ended with exit code {code}: {last}", tail).failure
