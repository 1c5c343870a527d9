"""`pegbox compare`: two trials, or the answers of two studies, side by side; draws, computes nothing."""

from typing import Annotated

from cyclopts import Parameter
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pegbox.analysis.comparison import Comparison, Side
from pegbox.cli.console import out, print_json, safe, show
from pegbox.cli.options import DEFAULT_STORE, QUIET, Json, Store, Verbosity
from pegbox.report.rounding import duration, metric, parameter


def compare(
    left: Annotated[str, Parameter(help="Number of a trial, or name of a study.")],
    right: Annotated[str, Parameter(help="Number of another trial, or name of another study.")],
    *,
    study: Annotated[str | None, Parameter(help="Whose trials; the last study that ran where it is left out.")] = None,
    store: Store = DEFAULT_STORE,
    json: Json = False,
    verbosity: Verbosity = QUIET,
) -> None:
    """Show where two trials or studies differ, which is better, and how sure that is."""
    from pegbox.report.compare import compare_in_store

    found = compare_in_store(store, left, right, study)
    if json:
        print_json(found)
        return
    parts: list[RenderableType] = [Text(safe(found.sentence), style="name"), Text(), draw_sides(found)]
    if found.gain is not None and found.probability_left is not None:
        gain = f"{metric(found.gain.low)} to {metric(found.gain.high)}"
        chance = f"{100 * found.probability_left:.0f} %"
        said = f"The first is better by {gain} ({100 * found.gain.level:.0f} % interval; negative: worse), P {chance}."
        parts += [Text(), Text(said, style="quiet")]
    show(out(), Group(*parts))


def draw_sides(found: Comparison) -> Table:
    """A column for each of the two: its values, and the parameters that differ."""
    table = Table.grid(padding=(0, 3))
    for _ in range(3):
        table.add_column(no_wrap=True)
    is_one_study = found.left.study == found.right.study
    table.add_row(Text(""), *(Text(_name(side, is_one_study), style="name") for side in (found.left, found.right)))
    table.add_row(Text("on fresh seeds", style="quiet"), *(Text(_fresh(side)) for side in (found.left, found.right)))
    searched = [
        "no value" if side.search_value is None else metric(side.search_value) for side in (found.left, found.right)
    ]
    table.add_row(Text("in the search", style="quiet"), *(Text(value) for value in searched))
    times = ["" if side.seconds is None else duration(side.seconds) for side in (found.left, found.right)]
    table.add_row(Text("training time", style="quiet"), *(Text(time) for time in times))
    for one in found.differences:
        values = [
            safe(parameter(side.configuration[one.name])) if one.name in side.configuration else "not used"
            for side in (found.left, found.right)
        ]
        table.add_row(Text(f"{safe(one.name)}:", style="metric"), *(Text(value) for value in values))
    return table


def _name(side: Side, is_one_study: bool) -> str:
    return f"trial {side.trial}" if is_one_study else f"{safe(side.study)}, trial {side.trial}"


def _fresh(side: Side) -> str:
    if not side.values:
        return "not trained"
    return f"{metric(sum(side.values) / len(side.values))} (mean of {len(side.values)})"
