"""The answer as a person reads it in a terminal; draws, computes nothing."""

from pathlib import Path

from rich.box import ROUNDED
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from pegbox.cli.console import safe
from pegbox.cli.live_panel import PHASES, spaced, used_text
from pegbox.report.answer import Answer, expected_value
from pegbox.report.rounding import duration, metric, parameter, uncertain
from pegbox.schemas.base import Configuration
from pegbox.schemas.selection import Finalist, Selection
from pegbox.schemas.trial import TrialState


def draw_answer(answer: Answer) -> RenderableType:
    """What to run, how sure that is, what it scored, where it lies, what next."""
    parts: list[RenderableType] = [_headline(answer)]
    if answer.configuration is not None:
        parts += [Text(), configuration_block(answer.configuration)]
    if answer.selection:
        parts += [Text(), _finalists(answer.selection)]
    facts = _facts(answer)
    if facts.row_count:
        parts += [Text(), facts]
    for step in answer.next_steps:
        parts += [Text(), Text(step.why, style="quiet"), Text(f"  {safe(step.command)}", style="name", overflow="fold")]
    return Group(*parts)


def frame(answer: Answer, width: int) -> Panel:
    """The answer in a frame, for a terminal."""
    title = Text(f" {safe(answer.study)} ", style="name")
    return Panel(
        Padding(draw_answer(answer), (0, 1)),
        title=title,
        title_align="left",
        box=ROUNDED,
        border_style="quiet",
        width=min(width, 100),
    )


def _headline(answer: Answer) -> Text:
    if answer.selection:
        best = answer.selection.best
        interval = best.interval
        value = _with_interval(best)
        level = f"{100 * interval.level:.0f} % interval, " if interval else ""
        seeds = f"{len(best.values)} fresh seed{'s' if len(best.values) > 1 else ''}"
        return Text.assemble(
            (safe(answer.metric), "metric"),
            " = ",
            (value, "good"),
            (f"   trial {answer.trial} · {level}{seeds}", "quiet"),
        )
    if answer.incumbent:
        return Text.assemble(
            (safe(answer.metric), "metric"),
            " = ",
            (metric(answer.incumbent.value), "good"),
            (f"   trial {answer.trial} · as the search saw it, no winner has been selected yet", "quiet"),
        )
    return Text("No trial has a value yet.", style="warn")


def configuration_block(configuration: Configuration) -> Table:
    """One line a parameter, as the study file would write its value."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    for name, value in configuration.items():
        table.add_row(Text(f"{safe(name)}:", style="quiet"), Text(safe(parameter(value, 4))))
    return table


def _finalists(selection: Selection) -> Table:
    table = Table.grid(padding=(0, 3))
    for side in ("right", "right", "right", "right", "left"):
        table.add_column(justify=side, no_wrap=True)
    headings = ("trial", "on fresh seeds", "P(best)", "in the search", "")
    table.add_row(*(Text(heading, style="quiet") for heading in headings))
    for finalist in selection.finalists:
        is_winner = finalist.trial == selection.winner
        role = "winner" if is_winner else "cannot be told from it" if finalist.trial in selection.ties else ""
        table.add_row(
            Text(str(finalist.trial), style="good" if is_winner else ""),
            Text(_with_interval(finalist)),
            Text(f"{100 * finalist.probability_best:.0f} %"),
            Text(metric(finalist.search_value), style="quiet"),
            Text(role, style="good" if is_winner else "quiet"),
        )
    return table


def _with_interval(finalist: Finalist) -> str:
    value, interval = expected_value(finalist), finalist.interval
    return uncertain(value, interval.low, interval.high) if interval else metric(value)


def _facts(answer: Answer) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="quiet")
    table.add_column()
    selection = answer.selection
    if selection:
        table.add_row("because", Text(safe(selection.reason)))
    if selection and selection.test_metrics:
        tests = "   ".join(f"{safe(name)} {metric(value)}" for name, value in selection.test_metrics.items())
        table.add_row("test", Text(tests, style="name"))
    if answer.target is not None:
        reached = {True: "reached", False: "missed", None: "not measured yet"}[answer.is_target_reached]
        table.add_row("target", Text(f"{metric(answer.target)} {reached}", style="warn" if reached == "missed" else ""))
    if selection and selection.checkpoint:
        table.add_row("model", Text(safe(_from_here(selection.checkpoint)), overflow="fold"))
    if answer.counts:
        table.add_row("search", _search(answer))
    return table


def _from_here(path: Path) -> str:
    """The shorter way to a file, where it lies below the working directory."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _search(answer: Answer) -> Text:
    used = used_text(answer.budget[0]) if answer.budget else ""
    counts = [f"{spaced(count)} {state.value}" for state, count in answer.counts.items()]
    words = [used, *counts, duration(answer.elapsed_seconds)]
    if answer.phase != "done":
        words.append(PHASES[answer.phase])
    style = "warn" if answer.counts.get(TrialState.FAILED) else ""
    return Text(" · ".join(word for word in words if word), style=style)
