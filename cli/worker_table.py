"""What each worker does at this moment, one row a segment; reads nothing."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from pegbox.cli.column_layout import Column, side_by_side
from pegbox.cli.console import safe
from pegbox.cli.sparkline import sparkline
from pegbox.report.number_format import metric, parameter
from pegbox.report.status import RunningTrial, StudyStatus


def worker_table(status: StudyStatus, width: int) -> Table:
    """One row for each segment in training, with as many parameters as fit."""
    return side_by_side([*_progress(status), *_parameters(status.running)], width)


def _progress(status: StudyStatus) -> list[Column]:
    running = status.running
    reached = ["·" if trial.step is None else str(trial.step) for trial in running]
    return [
        Column("trial", [Text(_label(trial)) for trial in running]),
        Column(
            "epoch",
            [
                Text.assemble(step, (f"/{trial.to_budget}", "quiet"))
                for step, trial in zip(reached, running, strict=True)
            ],
        ),
        Column(safe(status.metric), [Text("" if trial.value is None else metric(trial.value)) for trial in running]),
        Column("vs best", [_versus(trial, status.goal) for trial in running]),
        Column("curve", [Text(sparkline(trial.curve), style="metric") for trial in running], "left"),
    ]


def _label(trial: RunningTrial) -> str:
    return str(trial.trial) if trial.replicate is None else f"{trial.trial} seed {trial.replicate + 1}"


def _parameters(running: Sequence[RunningTrial]) -> list[Column]:
    names = dict.fromkeys(name for trial in running for name in trial.configuration)
    return [
        Column(
            safe(name),
            [Text(_parameter(trial, name)) for trial in running],
            "left" if any(isinstance(trial.configuration.get(name), str) for trial in running) else "right",
            # The first parameters of the study file stay longest where a terminal is narrow: people write what matters
            # first.
            rank,
        )
        for rank, name in enumerate(names, start=1)
    ]


def _versus(trial: RunningTrial, goal: str) -> Text:
    """The difference to the incumbent, with the decimals of the value before it."""
    difference = trial.versus_best
    if difference is None or trial.value is None:
        return Text()
    is_better = difference < 0 if goal == "minimize" else difference > 0
    value = metric(trial.value)
    decimals = len(value.partition(".")[2])
    text = metric(difference) if "e" in value else f"{difference:.{decimals}f}"
    return Text(f"{'+' if difference > 0 else ''}{text}", style="good" if is_better else "")


def _parameter(trial: RunningTrial, name: str) -> str:
    return safe(parameter(trial.configuration[name], 2)) if name in trial.configuration else "–"
