"""The answer as a person reads it in a terminal; draws, computes nothing."""

import shlex
from collections.abc import Iterator
from pathlib import Path

from rich.box import ROUNDED
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from pegbox.cli.advice_list import draw_advice
from pegbox.cli.card_text import draw_card
from pegbox.cli.console import safe, show
from pegbox.cli.finalists_table import finalists_table, front_table, seen_front_table
from pegbox.cli.incumbent_text import draw_constraints, draw_failure, values_text
from pegbox.cli.live_panel import MARGIN, PHASES
from pegbox.report.answer import Answer
from pegbox.report.answer_sentences import against_baseline, point_with_interval, seeds_in_words, with_interval
from pegbox.report.number_format import duration, metric, parameter, spaced
from pegbox.report.progress import used_in_words
from pegbox.schemas.base import Configuration
from pegbox.schemas.selection import Selection
from pegbox.schemas.trial import TrialState

# Picked by hand: longer lines are hard to read, and the table of finalists needs hardly more.
WIDEST = 100
"""Columns of the frame, however wide the terminal is."""


def draw_answer(answer: Answer, width: int) -> RenderableType:
    """What to run, how sure that is, what it scored, where it lies, what next."""
    parts: list[RenderableType] = [_headline(answer)]
    if answer.configuration is not None:
        parts += [Text(), configuration_block(answer.configuration)]
    if table := _compared(answer, width):
        parts += [Text(), table]
    facts = Table.grid(padding=(0, 2))
    facts.add_column(no_wrap=True, style="quiet")
    facts.add_column()
    for name, words in _facts(answer):
        facts.add_row(name, words)
    if facts.row_count:
        parts += [Text(), facts]
    if answer.card is not None and answer.card.diagnostics is not None:
        parts += [Text(), Text("The model on rows that it did not learn from:", style="quiet"), draw_card(answer.card)]
    broken = draw_constraints(answer.constraints, answer.counts)
    if broken and answer.configuration is not None:  # where there is none, the headline says so
        parts += [Text(), *broken]
    parts += draw_advice(answer.advice)
    if answer.query:
        parts += [Text(), Text("Ask all trials with SQL:", style="quiet")]
        parts += [Text(f"  {safe(answer.query)}", style="name", overflow="fold")]
    return Group(*parts)


def show_answer(console: Console, answer: Answer) -> None:
    """Print the answer; in a frame on a terminal."""
    # Without a frame where it is piped: box characters only disturb whoever searches in it.
    show(console, frame(answer, console.width) if console.is_terminal else draw_answer(answer, console.width))


def frame(answer: Answer, width: int) -> Panel:
    """The answer in a frame."""
    width = min(width, WIDEST)
    title = Text(f" {safe(answer.study)} ", style="name")
    return Panel(
        Padding(draw_answer(answer, width - MARGIN), (0, 1)),
        title=title,
        title_align="left",
        box=ROUNDED,
        border_style="quiet",
        width=width,
    )


def _headline(answer: Answer) -> Text:
    if answer.selection:
        return _selected(answer.selection)
    if answer.incumbent is None:
        return Text(safe(answer.sentence), style="warn")
    seen = "as the search saw it, no winner has been selected yet"
    if answer.front is None:
        return Text.assemble(
            (safe(answer.metric), "metric"),
            " = ",
            (metric(answer.incumbent.value), "good"),
            (f"   trial {answer.trial} · {seen}", "quiet"),
        )
    return Text.assemble(
        (values_text(answer.incumbent.values), "good"),
        (f"   trial {answer.trial} · the knee of the front {seen}", "quiet"),
    )


def _selected(selection: Selection) -> Text:
    best = selection.best
    if selection.front:
        point = next(one for one in selection.front if one.trial == selection.winner)
        values = {name: point_with_interval(point, name) for name in point.estimates}
        interval = next(iter(point.intervals.values()), None)
    else:
        values, interval = {selection.metric: with_interval(best)}, best.interval
    level = f"{100 * interval.level:.0f} % interval, " if interval else ""
    return Text.assemble(
        Text("   ").join(
            Text.assemble((safe(name), "metric"), " = ", (value, "good")) for name, value in values.items()
        ),
        (f"   trial {selection.winner} · {level}{seeds_in_words(best)}", "quiet"),
    )


def configuration_block(configuration: Configuration) -> Table:
    """One line a parameter, as the study file would write its value."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in configuration.items():
        table.add_row(Text(f"{safe(name)}:", style="quiet"), Text(safe(parameter(value, 4))))
    return table


def _compared(answer: Answer, width: int) -> Table | None:
    """The trials that the answer was chosen from."""
    if answer.selection:
        draw = front_table if answer.selection.front else finalists_table
        return draw(answer.selection, width)
    return seen_front_table(answer.front, width) if answer.front else None


def _facts(answer: Answer) -> Iterator[tuple[str, Text]]:
    if answer.selection:
        yield from _about_selection(answer.selection)
    if answer.model:
        yield "model", Text(f"{safe(_from_here(answer.model))}   pegbox predict {safe(shlex.quote(answer.study))} ROWS")
    if answer.target is not None:
        yield "target", _target(answer)
    if answer.counts:
        yield "search", _search(answer)
    if answer.incumbent is None and answer.failure:
        yield "such as", draw_failure(answer.failure)
    if answer.search_end:
        yield "ended", Text(safe(answer.search_end))
    if answer.method_reason:
        yield "method", Text(f"{safe(answer.method)}, chosen by auto: {safe(answer.method_reason)}", style="quiet")


def _about_selection(selection: Selection) -> Iterator[tuple[str, Text]]:
    yield "because", Text(safe(selection.reason))
    if gain := against_baseline(selection):
        yield "yours", Text(gain)
    if selection.hypervolume:
        low, high = (f"{end:.2f}" for end in (selection.hypervolume.low, selection.hypervolume.high))
        yield "front", Text(f"hypervolume {low} to {high} of the box around the finalists")
    if selection.test_metrics:
        tests = "   ".join(f"{safe(name)} {metric(value)}" for name, value in selection.test_metrics.items())
        yield "test", Text(tests, style="name")
    if selection.checkpoint:
        yield "weights", Text(safe(_from_here(selection.checkpoint)), overflow="fold")


def _target(answer: Answer) -> Text:
    reached = {True: "reached", False: "missed", None: "not measured yet"}[answer.is_target_reached]
    targets = [goal for goal in answer.objectives if goal.target is not None]
    is_one = len(answer.objectives) == 1
    words = [
        metric(goal.target or 0.0) if is_one else f"{goal.metric} {metric(goal.target or 0.0)}" for goal in targets
    ]
    return Text(f"{safe(', '.join(words))} {reached}", style="warn" if reached == "missed" else "")


def _from_here(path: Path) -> str:
    """The shorter way to a file, where it lies below the working directory."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _search(answer: Answer) -> Text:
    used = used_in_words(answer.budget[0]) if answer.budget else ""
    counts = [f"{spaced(count)} {state.value}" for state, count in answer.counts.items()]
    words = [used, *counts, duration(answer.elapsed_seconds)]
    if answer.phase != "done":
        words.append(PHASES[answer.phase])
    style = "warn" if answer.counts.get(TrialState.FAILED) else ""
    return Text(" · ".join(word for word in words if word), style=style)
