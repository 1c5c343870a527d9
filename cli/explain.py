"""`pegbox explain`: importance, how far each may be moved, what next, what was used again; draws, computes nothing."""

from typing import Annotated

from cyclopts import Parameter
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pegbox.analysis.effects import Effects
from pegbox.analysis.importance import Importance, Verdict
from pegbox.analysis.near_best import Slice
from pegbox.cli.advice_list import draw_advice
from pegbox.cli.console import out, print_json, safe, show
from pegbox.cli.options import DEFAULT_STORE, QUIET, Json, Store, StudyName, Verbosity
from pegbox.report.number_format import metric, number, parameter
from pegbox.schemas.errors import QueryError

# Picked by hand: a column for each 4 %, and a line still fits into 80 with name, interval and verdict.
BAR = 24
"""Columns of a whole bar."""
# Both picked by hand: weaker pairs lie within the noise of the shares, and the page draws more of them.
MOST_PAIRS = 3
MIN_PAIR_SHARE = 0.02
STYLES: dict[Verdict, str] = {"matters": "good", "unclear": "warn", "can be fixed": "quiet"}


def explain(
    study: StudyName = None,
    trial: Annotated[int | None, Parameter(help="With --cache: the number of the trial.")] = None,
    *,
    cache: Annotated[
        bool,
        Parameter(negative="", show_default=False, help="Tell why the result of a trial was or was not used again."),
    ] = False,
    store: Store = DEFAULT_STORE,
    json: Json = False,
    verbosity: Verbosity = QUIET,
) -> None:
    """Draw what the explanation of a study says, or print it as JSON."""
    if cache != (trial is not None):
        raise QueryError(
            "--cache goes with the number of a trial, as in `pegbox explain digits 3 --cache`. Without both the whole "
            "study is explained."
        )
    if trial is not None:
        from pegbox.cli.explain_reuse import show_reuse

        show_reuse(store, study, trial, as_json=json)
        return
    from pegbox.report.explain import explain_study

    found = explain_study(store, study)
    if json:
        print_json(found)
        return
    failed = f", {found.n_failed} of them failed" if found.n_failed else ""
    trials = "1 trial" if found.n_trials == 1 else f"{found.n_trials} trials"
    outside = f", {found.n_outside} left out because the space was narrowed" if found.n_outside else ""
    parts: list[RenderableType] = [
        Text.assemble((safe(found.study), "name"), f"   {trials}{failed}{outside}"),
        *draw_importance(f"Which hyperparameters matter for {found.importance.about}", found.importance),
    ]
    for other in found.others:
        parts += draw_importance(f"Which hyperparameters matter for {other.about}", other)
    parts += draw_tolerances(found.effects)
    if found.failures is not None:
        parts += draw_importance("What makes trials fail", found.failures)
    parts += draw_advice(found.advice)
    show(out(), Group(*parts))


def draw_importance(title: str, importance: Importance) -> list[RenderableType]:
    """A bar for each parameter, and the sentence."""
    table = Table.grid(padding=(0, 2))
    for side in ("left", "left", "right", "left", "left"):
        table.add_column(justify=side, no_wrap=True)
    for row in importance.parameters:
        interval = f"{100 * row.interval.low:.0f}–{100 * row.interval.high:.0f} %"
        bar = Text("█" * round(BAR * row.total), style=STYLES[row.verdict])
        # Padded, because a table would make the column as wide as the longest bar, and half would look like the whole.
        bar.pad_right(BAR - len(bar))
        table.add_row(
            Text(f"  {safe(row.name)}"),
            bar,
            Text(f"{100 * row.total:.0f} %"),
            Text(interval, style="quiet"),
            Text(row.verdict, style=STYLES[row.verdict]),
        )
    pairs = [
        f"{safe(pair.names[0])} × {safe(pair.names[1])} {100 * pair.share:.0f} %"
        for pair in importance.pairs[:MOST_PAIRS]
        if pair.share >= MIN_PAIR_SHARE
    ]
    parts: list[RenderableType] = [Text(), Text(title, style="name")]
    parts += [table] if importance.parameters else []
    parts += [Text(f"  only together: {', '.join(pairs)}", style="quiet")] if pairs else []
    return [*parts, Text(f"  {safe(importance.sentence)}", style="quiet")]


def draw_tolerances(effects: Effects) -> list[RenderableType]:
    """How far each parameter may be moved from the best trial."""
    slices = [(effect.name, effect.near_best) for effect in effects.parameters if effect.near_best is not None]
    if not slices:
        return []
    table = Table.grid(padding=(0, 2))
    for name, near in slices:
        table.add_row(
            Text(f"  {safe(name)}"),
            Text(safe(_reach(near))),
            Text(f"it has {safe(parameter(near.best))}", style="quiet"),
        )
    lost = f"less than {metric(slices[0][1].loss)} of {safe(effects.about)}, one standard deviation"
    return [
        Text(),
        Text(f"How far each may be moved, the others as in trial {slices[0][1].trial}", style="name"),
        table,
        Text(f"  It costs {lost} of a measurement.", style="quiet"),
    ]


def _reach(near: Slice) -> str:
    tolerance = near.tolerance
    if tolerance.values:
        return " or ".join(parameter(value) for value in tolerance.values)
    if tolerance.reaches_low_end and tolerance.reaches_high_end:
        return "anywhere"
    return f"{_rounded(tolerance.low)} to {_rounded(tolerance.high)}"


def _rounded(value: object) -> str:
    return number(value, 2) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
