"""`pegbox compare`: two trials, or the answers of two studies, side by side; draws, computes nothing."""

from typing import Annotated

from cyclopts import Parameter
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pegbox.analysis.comparison import Comparison, Side
from pegbox.cli.console import out, print_json, safe, show
from pegbox.cli.options import DEFAULT_STORE, QUIET, Json, Store, Verbosity
from pegbox.report.answer_sentences import gain_in_words
from pegbox.report.compare import Compared, compare_in_store
from pegbox.report.number_format import duration, metric, parameter


def compare(
    left: Annotated[str, Parameter(help="Number of a trial, or name of a study.")],
    right: Annotated[str, Parameter(help="Number of another trial, or name of another study.")],
    *,
    study: Annotated[str | None, Parameter(help="Whose trials; the last study that ran where it is left out.")] = None,
    store: Store = DEFAULT_STORE,
    json: Json = False,
    verbosity: Verbosity = QUIET,
) -> None:
    """Draw two trials or studies side by side, or print them as JSON."""
    found = compare_in_store(store, left, right, study)
    if json:
        print_json(found)
        return
    parts: list[RenderableType] = [Text(safe(found.sentence), style="name"), Text(), draw_sides(found)]
    if gains := [line for one in (found, *found.others) if (line := _gain(one, named=bool(found.others)))]:
        parts += [Text(), *(Text(line, style="quiet") for line in gains)]
    if found.note:
        parts += [Text(), Text(found.note, style="quiet")]
    show(out(), Group(*parts))


def _gain(one: Comparison, *, named: bool) -> str:
    """How much the first is better in one objective, and how sure that is; empty where fresh seeds are missing."""
    if one.gain is None or one.probability_left is None:
        return ""
    metric_name = f" in {safe(one.metric)}" if named else ""
    sure = f"{100 * one.gain.level:.0f} % interval; P(better) {100 * one.probability_left:.0f} %"
    return f"The first against the second{metric_name}: {gain_in_words(one.gain)} ({sure})."


def draw_sides(found: Compared) -> Table:
    """A column for each of the two: its values, and the parameters that differ."""
    table = Table.grid(padding=(0, 3))
    for _ in range(3):
        table.add_column(no_wrap=True)
    sides = (found.left, found.right)
    # Between two studies a number alone would not say whose trial it is.
    is_one_study = found.left.study == found.right.study
    table.add_row(Text(""), *(Text(_name(side, is_one_study), style="name") for side in sides))
    for one in (found, *found.others):
        label = f"{safe(one.metric)} " if found.others else ""
        for heading, values in (
            ("on fresh seeds", map(_fresh, _sides(one))),
            ("in the search", map(_seen, _sides(one))),
        ):
            table.add_row(Text(f"{label}{heading}", style="quiet"), *(Text(value) for value in values))
    times = ["" if side.seconds is None else duration(side.seconds) for side in sides]
    table.add_row(Text("training time", style="quiet"), *(Text(time) for time in times))
    for difference in found.differences:
        settings = [
            safe(parameter(side.configuration[difference.name]))
            if difference.name in side.configuration
            else "not used"
            for side in sides
        ]
        table.add_row(Text(f"{safe(difference.name)}:", style="metric"), *(Text(value) for value in settings))
    return table


def _sides(one: Comparison) -> tuple[Side, Side]:
    return one.left, one.right


def _seen(side: Side) -> str:
    return "no value" if side.search_value is None else metric(side.search_value)


def _name(side: Side, is_one_study: bool) -> str:
    return f"trial {side.trial}" if is_one_study else f"{safe(side.study)}, trial {side.trial}"


def _fresh(side: Side) -> str:
    if not side.values:
        return "not trained"
    return f"{metric(sum(side.values) / len(side.values))} (mean of {len(side.values)})"
