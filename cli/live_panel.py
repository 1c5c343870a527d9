"""The picture of a study that runs: budget, best so far, what workers do; draws a status and reads nothing."""

import math
from collections.abc import Sequence

from rich.box import ROUNDED
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from pegbox.cli.console import safe
from pegbox.report.progress import BudgetUse
from pegbox.report.rounding import duration, metric, number, parameter
from pegbox.report.status import RunningTrial, StudyStatus
from pegbox.schemas.trial import TrialState

BARS = "▁▂▃▄▅▆▇█"
GAP = "   "
MARGIN = 6
"""Columns of the border and its padding."""
STATE_STYLES = {
    TrialState.COMPLETED: "",
    TrialState.PAUSED: "quiet",
    TrialState.STOPPED: "warn",
    TrialState.FAILED: "bad",
}
PHASES = {
    "waiting": "starting",
    "searching": "searching",
    "finalists": "training the finalists again",
    "done": "done",
    "interrupted": "interrupted",
    "failed": "failed",
    "lost": "its process is gone",
}


def draw_panel(status: StudyStatus, width: int, notice: str = "") -> Panel:
    """The whole view.

    Args:
        status: What is drawn.
        width: Columns of the terminal.
        notice: What the user should know now, such as that a signal has been heard.
    """
    inner = max(40, width - MARGIN)
    parts: list[RenderableType] = [
        _title(status, inner),
        Text(),
        _budget(status, inner),
        Text(),
        _counts(status, inner),
    ]
    if status.running:
        parts += [Text(), _workers(status, inner)]
    if notice:
        parts += [Text(), Text(notice, style="warn")]
    return Panel(Padding(Group(*parts), (0, 1)), box=ROUNDED, border_style="quiet", width=width)


def draw_start(waiting_for: str, seconds: float, width: int) -> RenderableType:
    """One line, as long as there is nothing to draw."""
    line = Text.assemble(("starting  ", "name"), (waiting_for, "quiet"), (f"  {seconds:.0f} s", "quiet"))
    line.truncate(width - 1, overflow="ellipsis")
    return line


def _title(status: StudyStatus, width: int) -> Table:
    goal = "minimise" if status.goal == "minimize" else "maximise"
    how = status.method if status.schedule == "full" else f"{status.method} + {status.schedule}"
    left = Text.assemble(
        (safe(status.study), "name"), f"  {goal} ", (safe(status.metric), "metric"), ("  ·  ", "quiet"), safe(how)
    )
    right = Text(PHASES[status.phase], style="quiet")
    if status.elapsed_seconds:
        right.append(f" · {duration(status.elapsed_seconds)}")
    return _ends(left, right, width)


def _ends(left: Text, right: Text, width: int) -> Table:
    """One line with something at both ends."""
    line = Table.grid(expand=False)
    line.add_column(width=width - right.cell_len - 2, no_wrap=True, overflow="ellipsis")
    line.add_column(justify="right", no_wrap=True, width=right.cell_len + 2)
    line.add_row(left, right)
    return line


def _budget(status: StudyStatus, width: int) -> RenderableType:
    if status.phase == "finalists" and status.replicates_planned:
        share = status.replicates_done / status.replicates_planned
        used = f"{status.replicates_done} / {status.replicates_planned} fresh seeds"
    elif status.budget:
        share, used = status.budget[0].share, used_text(status.budget[0])
    else:
        return Text("no budget", style="quiet")
    left = "" if status.seconds_left is None else f" · {duration(status.seconds_left)} left"
    words = f"  {used}  {100 * share:.0f} %{left}"
    columns = max(10, width - len("budget ") - len(words))
    filled = round(share * columns)
    return Text.assemble(
        ("budget ", ""), ("━" * filled, "bar"), ("━" * (columns - filled), "rest"), words, no_wrap=True, overflow="crop"
    )


def used_text(use: BudgetUse) -> str:
    """`24 / 36 trials`."""
    if use.limit == "time":
        return f"{duration(use.used)} / {duration(use.total)}"
    unit = "trials without a better value" if use.limit == "stagnation" else use.limit
    return f"{spaced(use.used)} / {spaced(use.total)} {unit}"


def spaced(count: float) -> str:
    """A count with its thousands set apart: `11 840`."""
    return f"{int(count):,}".replace(",", " ") if count == int(count) and count >= 1e4 else number(count)


def _counts(status: StudyStatus, width: int) -> Text:
    parts = []
    if status.best:
        parts.append(
            Text.assemble("best ", (metric(status.best.value), "good"), (f" trial {status.best.trial}", "quiet"))
        )
    for state, style in STATE_STYLES.items():
        if count := status.counts.get(state):
            parts.append(Text(f"{state.value} {spaced(count)}", style=style))
    if status.failures:
        kinds = ", ".join(f"{count} {kind.value.replace('_', ' ')}" for kind, count in status.failures.items())
        parts[-1].append(f" ({kinds})", style="quiet")
    share = "" if status.busy_share is None else f" {100 * status.busy_share:.0f} % busy"
    parts.append(Text.assemble("workers ", (f"{status.busy}/{status.workers}", "name"), share))
    return _wrapped(parts, width)


def _wrapped(parts: list[Text], width: int) -> Text:
    """Groups of words side by side; one that does not fit begins the next line."""
    line = parts[0].copy()
    used = line.cell_len
    for part in parts[1:]:
        fits = used + len(GAP) + part.cell_len <= width
        line.append(GAP if fits else "\n").append_text(part)
        used = used + len(GAP) + part.cell_len if fits else part.cell_len
    return line


def _workers(status: StudyStatus, width: int) -> Table:
    """One row for each segment in training, with as many parameters as fit."""
    rows = [_row(status, trial) for trial in status.running]
    names = list(dict.fromkeys(name for trial in status.running for name in trial.configuration))
    columns = ("trial", "epoch", safe(status.metric), "vs best", "curve")
    table = Table.grid(padding=(0, 2), expand=False)
    used = sum(max(len(column), *(len(row[i]) for row in rows)) + 2 for i, column in enumerate(columns))
    shown = []
    for name in names:
        values = [_parameter(trial, name) for trial in status.running]
        needed = max(len(safe(name)), *(len(value) for value in values)) + 2
        if used + needed > width:
            break
        used += needed
        shown.append(name)
    for column in columns:
        table.add_column(justify="left" if column == "curve" else "right", no_wrap=True)
    for name in shown:
        is_word = any(isinstance(trial.configuration.get(name), str) for trial in status.running)
        table.add_column(justify="left" if is_word else "right", no_wrap=True)
    table.add_row(*(Text(safe(column), style="quiet") for column in (*columns, *shown)))
    for trial, row in zip(status.running, rows, strict=True):
        table.add_row(*row, *(Text(_parameter(trial, name)) for name in shown))
    return table


def _row(status: StudyStatus, trial: RunningTrial) -> list[Text]:
    label = str(trial.trial) if trial.replicate is None else f"{trial.trial} seed {trial.replicate + 1}"
    reached = "·" if trial.step is None else str(trial.step)
    return [
        Text(label),
        Text.assemble(reached, (f"/{trial.to_budget}", "quiet")),
        Text("" if trial.value is None else metric(trial.value)),
        _versus(trial, status.goal),
        Text(sparkline(trial.curve), style="metric"),
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
    value = trial.configuration.get(name, "")
    return safe(parameter(value, 2)) if name in trial.configuration else "–"


def sparkline(values: Sequence[float], points: int = 8) -> str:
    """A curve as eight bars at most.

    >>> sparkline([4, 3, 2, 1])
    '█▆▃▁'
    """
    if len(values) < 2:
        return ""
    picked = [values[round(i * (len(values) - 1) / (points - 1))] for i in range(points)]
    picked = list(values) if len(values) <= points else picked
    if min(picked) > 0 and max(picked) > 5 * min(picked):
        picked = [math.log(value) for value in picked]  # a first loss far above the others would flatten them all
    low, high = min(picked), max(picked)
    if high == low:
        return BARS[0] * len(picked)
    return "".join(BARS[round((value - low) / (high - low) * (len(BARS) - 1))] for value in picked)
