"""The trials among which the answer was chosen, as tables; draws, computes nothing."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from pegbox.cli.console import safe
from pegbox.report.rounding import metric
from pegbox.report.standing import Front
from pegbox.report.verdict import point_with_interval, with_interval
from pegbox.schemas.selection import Finalist, Selection

MOST_SEEN = 12
"""Trials of a front that are listed before its finalists are chosen."""


def finalists_table(selection: Selection) -> Table:
    """The finalists by one objective."""
    table = _table("on fresh seeds", "P(best)", "in the search")
    for finalist in selection.finalists:
        is_winner = finalist.trial == selection.winner
        role = "winner" if is_winner else "cannot be told from it" if finalist.trial in selection.ties else ""
        _add(
            table,
            finalist.trial,
            [
                Text(with_interval(finalist)),
                Text(f"{100 * finalist.probability_best:.0f} %"),
                Text(metric(finalist.search_value), style="quiet"),
            ],
            _with_failures(role, finalist),
            is_winner=is_winner,
        )
    return table


def front_table(selection: Selection) -> Table:
    """The finalists of the front by all objectives, the knee first, and how many are not on it."""
    names = list(selection.front[0].estimates)
    table = _table(*names, "P(on the front)")
    for point in sorted(selection.front, key=lambda point: point.trial != selection.winner):
        is_winner = point.trial == selection.winner
        values = [Text(point_with_interval(point, name)) for name in names]
        chance = Text(f"{100 * point.probability:.0f} %")
        _add(table, point.trial, [*values, chance], "knee" if is_winner else "", is_winner=is_winner)
    beaten = {one.trial for one in selection.finalists} - {point.trial for point in selection.front}
    for trial in sorted(beaten):
        _add(table, trial, [Text() for _ in (*names, "")], "off the front", is_winner=False)
    return table


def seen_front_table(front: Front) -> Table:
    """The front as the search saw it, cut where it is long."""
    names = list(front.trials[0].values)
    table = _table(*names)
    for one in front.trials[:MOST_SEEN]:
        is_knee = one.trial == front.knee
        values = [Text(metric(one.values[name])) for name in names]
        _add(table, one.trial, values, "knee" if is_knee else "", is_winner=is_knee)
    if len(front.trials) > MOST_SEEN:
        table.add_row(Text(f"+{len(front.trials) - MOST_SEEN}", style="quiet"))
    return table


def _table(*headings: str) -> Table:
    table = Table.grid(padding=(0, 3))
    for _ in ("trial", *headings):
        table.add_column(justify="right", no_wrap=True)
    table.add_column()
    table.add_row(*(Text(safe(heading), style="quiet") for heading in ("trial", *headings)), Text())
    return table


def _add(table: Table, trial: int, cells: Sequence[Text], role: str, *, is_winner: bool) -> None:
    style = "good" if is_winner else ""
    table.add_row(Text(str(trial), style=style), *cells, Text(role, style=style or "quiet"))


def _with_failures(role: str, finalist: Finalist) -> str:
    """The role, with the fresh seeds that failed."""
    failed = f"{finalist.n_failed} seed{'s' if finalist.n_failed > 1 else ''} failed" if finalist.n_failed else ""
    return ", ".join(words for words in (role, failed) if words)
