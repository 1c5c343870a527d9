"""The picture of a study that runs: budget, best so far, what workers do; draws a status and reads nothing."""

from collections.abc import Sequence

from rich.box import ROUNDED
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from pegbox.cli.console import safe
from pegbox.cli.incumbent_text import draw_constraints, draw_failure, draw_incumbent
from pegbox.cli.worker_table import worker_table
from pegbox.report.number_format import duration, spaced
from pegbox.report.progress import used_in_words
from pegbox.report.status import StudyStatus
from pegbox.schemas.plan import Objective
from pegbox.schemas.trial import TrialState

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
    # Picked by hand: below 40 columns no table is readable, and a wrapped one says more than none.
    inner = max(40, width - MARGIN)
    parts: list[RenderableType] = [
        _title(status, inner),
        Text(),
        _budget(status, inner),
        Text(),
        _counts(status, inner),
    ]
    if status.running:
        parts += [Text(), worker_table(status, inner)]
    notes = _notes(status)
    if notes.row_count:
        parts += [Text(), notes]
    if notice:
        parts += [Text(), Text(notice, style="warn")]
    return Panel(Padding(Group(*parts), (0, 1)), box=ROUNDED, border_style="quiet", width=width)


def draw_start(waiting_for: str, seconds: float, width: int) -> RenderableType:
    """One line, as long as there is nothing to draw."""
    line = Text.assemble(("starting  ", "name"), (waiting_for, "quiet"), (f"  {seconds:.0f} s", "quiet"))
    # One column is left free: many terminals wrap as soon as the last one is written.
    line.truncate(width - 1, overflow="ellipsis")
    return line


def _title(status: StudyStatus, width: int) -> Table:
    how = status.method if status.schedule == "full" else f"{status.method} + {status.schedule}"
    left = Text.assemble(
        (safe(status.study), "name"), "  ", goals_text(status.objectives), ("  ·  ", "quiet"), safe(how)
    )
    right = Text(PHASES[status.phase], style="quiet")
    if status.elapsed_seconds:
        right.append(f" · {duration(status.elapsed_seconds)}")
    return _ends(left, right, width)


def goals_text(objectives: Sequence[Objective]) -> Text:
    """`minimise val_loss, maximise val_accuracy`."""
    words = {"minimize": "minimise ", "maximize": "maximise "}
    return Text(", ").join(Text.assemble(words[one.goal], (safe(one.metric), "metric")) for one in objectives)


def _notes(status: StudyStatus) -> Table:
    """What the constraints leave out, how trials fail where all do, why the search ended, or what `auto` chose."""
    table = Table.grid()
    for broken in draw_constraints(status.constraints, status.counts):
        table.add_row(broken)
    if status.incumbent is None and status.failure is not None:
        table.add_row(draw_failure(status.failure))
    if status.search_end is not None:
        table.add_row(Text.assemble(("search ended: ", "quiet"), safe(status.search_end)))
    elif status.method_reason is not None:
        table.add_row(Text(f"auto chose {safe(status.method)}: {safe(status.method_reason)}", style="quiet"))
    if status.earlier:
        table.add_row(Text(f"learns from {', '.join(map(safe, status.earlier))}", style="quiet"))
    return table


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
        share, used = status.budget[0].share, used_in_words(status.budget[0])
    else:
        return Text("no budget", style="quiet")
    left = "" if status.seconds_left is None else f" · {duration(status.seconds_left)} left"
    words = f"  {used}  {100 * share:.0f} %{left}"
    # Ten at least, picked by hand: a shorter bar shows steps of more than a tenth.
    columns = max(10, width - len("budget ") - len(words))
    filled = round(share * columns)
    return Text.assemble(
        ("budget ", ""), ("━" * filled, "bar"), ("─" * (columns - filled), "rest"), words, no_wrap=True, overflow="crop"
    )


def _counts(status: StudyStatus, width: int) -> Text:
    parts = draw_incumbent(status)
    for state, style in STATE_STYLES.items():
        if count := status.counts.get(state):
            parts.append(Text(f"{state.value} {spaced(count)}", style=style))
    if status.failures and parts:
        kinds = ", ".join(f"{count} {kind.value.replace('_', ' ')}" for kind, count in status.failures.items())
        parts[-1].append(f" ({kinds})", style="quiet")
    if status.run is not None and status.run.status != "running" and (cut_off := _n_cut_off(status)):
        parts.append(Text(f"unfinished {cut_off}", style="warn"))
    share = "" if status.busy_share is None else f" {100 * status.busy_share:.0f} % busy"
    parts.append(Text.assemble("workers ", (f"{status.busy}/{status.workers}", "name"), share))
    return _wrapped(parts, width)


def _n_cut_off(status: StudyStatus) -> int:
    """Trials that nobody trains, though they should be."""
    return sum(status.counts.get(state, 0) for state in (TrialState.PROPOSED, TrialState.RUNNING))


def _wrapped(parts: list[Text], width: int) -> Text:
    """Groups of words side by side; one that does not fit begins the next line."""
    line = parts[0].copy()
    used = line.cell_len
    for part in parts[1:]:
        fits = used + len(GAP) + part.cell_len <= width
        line.append(GAP if fits else "\n").append_text(part)
        used = used + len(GAP) + part.cell_len if fits else part.cell_len
    return line
