"""The trials among which the answer was chosen, as tables; draws, computes nothing."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from pegbox.cli.column_layout import Column, side_by_side
from pegbox.cli.console import safe
from pegbox.report.answer_sentences import point_with_interval, with_interval
from pegbox.report.incumbent import Front
from pegbox.report.number_format import metric, percent
from pegbox.schemas.selection import Finalist, Selection

GAP = 3
# Picked by hand, to leave room for the answer above it on a terminal of 24 lines.
MOST_SEEN = 12
"""Trials of a front that are listed before its finalists are chosen."""


def finalists_table(selection: Selection, width: int) -> Table:
    """The finalists by one objective."""
    finalists = selection.finalists
    roles = [_role(one, selection) for one in finalists]
    return side_by_side(
        [
            _trials([one.trial for one in finalists], selection.winner),
            Column("on fresh seeds", [Text(with_interval(one)) for one in finalists]),
            # Ranked by what an answer can do without in a narrow terminal: the optimistic value of the search goes
            # first, how sure the winner is goes last.
            Column("P(best)", [Text(percent(one.probability_best)) for one in finalists], rank=1),
            Column("in the search", [Text(metric(one.search_value), style="quiet") for one in finalists], rank=3),
            _roles(roles),
        ],
        width,
        GAP,
    )


def front_table(selection: Selection, width: int) -> Table:
    """The finalists of the front by all objectives, the knee first, and those that are not on it."""
    points = sorted(selection.front, key=lambda point: point.trial != selection.winner)
    others = sorted({one.trial for one in selection.finalists} - {point.trial for point in points})
    none = [Text() for _ in others]
    objectives = [
        Column(safe(name), [*(Text(point_with_interval(point, name)) for point in points), *none])
        for name in points[0].estimates
    ]
    chances = [Text(percent(point.probability)) for point in points]
    roles = ["knee" if point.trial == selection.winner else "" for point in points]
    return side_by_side(
        [
            _trials([*(point.trial for point in points), *others], selection.winner),
            *objectives,
            Column("P(on the front)", [*chances, *none], rank=3),
            _roles([*roles, *("off the front" for _ in others)]),
        ],
        width,
        GAP,
    )


def seen_front_table(front: Front, width: int) -> Table:
    """The front as the search saw it, cut where it is long."""
    shown = front.trials[:MOST_SEEN]
    objectives = [
        Column(safe(name), [Text(metric(one.values[name])) for one in shown]) for name in front.trials[0].values
    ]
    roles = _roles(["knee" if one.trial == front.knee else "" for one in shown])
    table = side_by_side([_trials([one.trial for one in shown], front.knee), *objectives, roles], width, GAP)
    if len(front.trials) > MOST_SEEN:
        table.add_row(Text(f"+{len(front.trials) - MOST_SEEN}", style="quiet"))
    return table


def _trials(numbers: Sequence[int], winner: int) -> Column:
    return Column("trial", [Text(str(number), style="good" if number == winner else "") for number in numbers])


def _roles(roles: Sequence[str]) -> Column:
    """Without a heading; the winner and the knee stand out."""
    cells = [Text(role, style="good" if role.startswith(("winner", "knee")) else "quiet") for role in roles]
    return Column("", cells, "left", rank=2)


def _role(finalist: Finalist, selection: Selection) -> str:
    role = "winner" if finalist.trial == selection.winner else ""
    if finalist.trial in selection.ties:
        role = "cannot be told from it"
    failed = f"{finalist.n_failed} seed{'s' if finalist.n_failed > 1 else ''} failed" if finalist.n_failed else ""
    return ", ".join(words for words in (role, failed) if words)
