"""Trains by running a user's program; what it prints or writes are the metrics, its files the checkpoint."""

import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from pegbox.schemas.arrays import Splits
from pegbox.schemas.base import Value
from pegbox.schemas.errors import TrialError
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.plan import EPOCHS
from pegbox.schemas.secret_texts import masked, names_of_environment, with_environment, without_environment
from pegbox.schemas.train import CommandTrain
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment
from pegbox.training.checkpoint_directory import CheckpointDirectory, checkpoint_directory
from pegbox.training.command_failure import failure_of_program
from pegbox.training.command_line import CommandValues, fill, fill_command
from pegbox.training.command_output import OutputReader, is_written, read_file, sentence
from pegbox.training.command_ranks import RankedProcesses
from pegbox.training.failures import failed
from pegbox.training.printed_line import Reading
from pegbox.training.ranks import n_processes
from pegbox.training.resources import process_name, visible_gpus
from pegbox.training.schedule_stages import taken_over
from pegbox.training.tensorboard_events import read_events
from pegbox.training.trainer import EvaluatedPart, Report
from pegbox.training.user_metrics import Reports, reported_evaluation


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
            own = _own_values(segment, data, directory)
            with TemporaryDirectory(prefix="pegbox-") as folder:
                values = CommandValues(segment.configuration, own, Path(folder) / "parameters.json")
                understood = _run(segment.train, values, _environment(segment, own), segment.to_budget, reports)
        return TrainedSegment(
            budget=segment.to_budget,
            checkpoint=directory.kept,
            reports=reports.all,
            seconds=time.perf_counter() - started,
            device=str(own["device"]),
            worker=process_name(),
            started_at=started_at,
            restarted=segment.from_budget > 0 and directory.resume is None,
            understood=understood,
        )

    def evaluate(
        self, segment: Segment, trained: TrainedSegment, data: Splits | None, part: EvaluatedPart
    ) -> Evaluation:
        """See `Trainer.evaluate`; the last values that were printed or written."""
        return reported_evaluation(segment, trained, part)


def _own_values(segment: Segment, data: Splits | None, directory: CheckpointDirectory) -> dict[str, Value]:
    """What the placeholders of pegbox's own stand for, by `COMMAND_NAMES`."""
    is_of_epochs = segment.fidelity == EPOCHS
    return {
        "trial": segment.trial,
        "seed": segment.seed,
        "epochs": segment.to_budget if is_of_epochs else segment.train.epochs,
        "from_epochs": segment.from_budget if is_of_epochs and directory.resume else 0,
        "checkpoint_dir": str(directory.path),
        "resume_dir": str(directory.resume) if directory.resume else None,
        "data_dir": str((data.info.path / f"fold-{segment.fold}").absolute()) if data else None,
        "device": "cuda" if visible_gpus() else "cpu",
    }


def _environment(segment: Segment, own: dict[str, Value]) -> dict[str, str]:
    """The same for a program that reads its environment: `PEGBOX_SEED`, ..., and all parameters as JSON."""
    named = {f"PEGBOX_{name.upper()}": str(value) for name, value in own.items() if value is not None}
    configuration = segment.model_dump(mode="json", include={"configuration"})["configuration"]
    # Python buffers what it prints into a pipe, and metrics should come while the program runs.
    copied = {"PEGBOX_COPIED": "1"} if taken_over(segment) is not segment else {}
    return named | copied | {"PEGBOX_CONFIGURATION": json.dumps(configuration), "PYTHONUNBUFFERED": "1"}


def _run(train: CommandTrain, values: CommandValues, environment: dict[str, str], budget: int, reports: Reports) -> str:
    """Run the program to its end and report its metrics; gives what was read, in a sentence."""
    hidden = names_of_environment(train.command)
    try:
        arguments = [with_environment(argument) for argument in fill_command(train.command, values)]
    except KeyError as error:
        message = f"the command reads the environment variable {error}, which is not set where the trial runs. Set it."
        raise failed(FailureKind.INVALID, message) from error
    started, program = time.time(), without_environment(arguments[0], hidden)
    try:
        process = RankedProcesses(
            arguments, environment, n_processes(), lambda line: _log(without_environment(line, hidden))
        )
    except OSError as error:
        message = f"the command {program!r} could not be started: {error.strerror}. Correct train.command."
        raise failed(FailureKind.INVALID, message) from error
    with process:
        said = _Said(train.metrics, budget, reports)
        for line in process.lines():
            # Before it is read: a name that is made of the value would be a metric's.
            told = without_environment(line, hidden)
            _log(told)
            said.take(told)
        code = process.wait()
        tails = [without_environment(text, hidden) for text in process.tails()]
        if code:
            raise TrialError(failure_of_program(program, code, *tails))
        if is_written(train.metrics):
            return _take_files(fill(train.metrics, values), started, reports, budget)
        said.take_errors(without_environment(line, hidden) for line in process.error_lines())
        if not reports.can_be_judged:
            message = f"the command ended well, and no metric was read of it by `metrics: {train.metrics}`. "
            raise failed(FailureKind.INVALID, message + said.unread, "\n".join(tails))
        return said.understood


def _log(line: str) -> None:
    """Into the worker's log, without what looks like a secret."""
    sys.stdout.write(f"{masked(line)}\n")


class _Said:
    """What a program says, reported as it comes; stderr gives the metrics that stdout never names."""

    def __init__(self, metrics: str, budget: int, reports: Reports) -> None:
        self._metrics, self._budget, self._reports = metrics, budget, reports
        self._is_read = not is_written(metrics)
        self._output = OutputReader(metrics)
        self._errors = OutputReader(metrics)

    def take(self, line: str) -> None:
        """A line of stdout."""
        for step, numbers in self._output.read(line) if self._is_read else ():
            _report(step, numbers, self._reports, self._budget)

    def take_errors(self, lines: Iterable[str]) -> None:
        """The lines of stderr, where progress bars and logging write, once the program has ended."""
        for line in lines:
            for step, numbers in self._errors.read(line):
                new = {name: value for name, value in numbers.items() if name not in self._output.names}
                _report(step, new, self._reports, self._budget)

    @property
    def understood(self) -> str:
        """What was read, in a sentence."""
        from_errors = self._errors.tell(self._output.names)
        return "; ".join(
            part for part in (self._output.tell(), f"from stderr {from_errors}" if from_errors else "") if part
        )

    @property
    def unread(self) -> str:
        """Lines that nothing was read of, and what to do about it."""
        shown = self._output.unread or self._errors.unread
        lines = f"Lines that were not read: {shown}." if shown else "It printed nothing."
        return f"{lines} Print lines such as `epoch=3 val_loss=0.5`, or name what to read with `metrics: regex:...`."


def _report(step: int | None, numbers: dict[str, float | str], reports: Reports, budget: int) -> None:
    """Report a line; one that names no step belongs to the step of the last that did, or to the end."""
    reports.add(max(reports.steps, default=budget) if step is None else step, numbers)


def _take_files(metrics: str, started: float, reports: Reports, budget: int) -> str:
    """Report what a program wrote into files, once it has ended; gives what was read, in a sentence."""
    kind, _, place = metrics.partition(":")
    since = started - 2  # a file system keeps times less exactly than the clock that is asked here
    try:
        lines = read_events(Path(place), since) if kind == "tensorboard" else _read_new_file(Path(place), since)
    except (ValueError, ImportError) as error:
        raise failed(FailureKind.INVALID, f"{place!r} holds no metrics: {error}.") from error
    for line in lines:
        _report(line.step, line.numbers, reports, budget)
    if not reports.can_be_judged:
        raise failed(FailureKind.INVALID, f"{place!r} holds no number under any name. Write the metrics into it.")
    return sentence((name for line in lines for name in line.numbers), next((line.step_name for line in lines), ""))


def _read_new_file(path: Path, since: float) -> list[Reading]:
    if not path.is_file() or path.stat().st_mtime < since:
        raise failed(FailureKind.INVALID, f"the command ended well but did not write {str(path)!r}.")
    return read_file(path.read_text(encoding="utf-8", errors="replace"))
