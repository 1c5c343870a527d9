"""The picture of an answer: how the search came to it, and how far its finalists can be told apart; an SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pegbox.report import svg
from pegbox.report.incumbent import Front
from pegbox.report.number_format import metric
from pegbox.report.svg import Axis, Point
from pegbox.schemas.plan import Objective
from pegbox.schemas.selection import Finalist, FrontPoint, Selection

# Sizes and bounds are picked by hand: the picture fits a column of Prefect's interface, and more dots or rows only hide
# each other in it.
WIDTH, HEIGHT = 760, 250
TRIAL, BROKEN = "#9ca3af", "#fca5a5"
"""Colours of trials that keep the constraints, and of those that do not."""
TOP, BOTTOM = 44.0, 214.0
MOST_DOTS = 400
MOST_FINALISTS = 8
# Picked by hand: diverging trainings are seldom more than one in ten.
WORST_SHOWN = 0.9
"""Values beyond this share of all are drawn at the edge, so that one loss that exploded flattens no other."""


@dataclass(frozen=True)
class Measured:
    """A completed trial as the picture needs it."""

    trial: int
    values: tuple[float, ...]
    """One for each objective."""
    is_kept: bool = True
    """True if it keeps the constraints."""


def draw_figure(
    goals: Sequence[Objective], trials: Sequence[Measured], front: Front | None, selection: Selection | None
) -> str:
    """The picture; it says so where there is nothing to draw yet.

    Args:
        goals: The objectives.
        trials: All that have a value of each objective, by number.
        front: Of several objectives, as the search saw it.
        selection: Who won; None as long as nobody has.
    """
    if not trials:
        parts = [svg.label(WIDTH / 2, HEIGHT / 2, "No trial has a value yet.", anchor="middle")]
    elif front is None and len(goals) == 1:
        right = 440.0 if selection else WIDTH - 24.0
        parts = [_progress(goals[0], trials, right), _finalists(goals[0], selection) if selection else ""]
    else:
        parts = [_trade(goals, trials, front, selection)]
    return svg.picture(WIDTH, HEIGHT, "How the search went", parts)


def _progress(goal: Objective, trials: Sequence[Measured], right: float) -> str:
    """Every value by trial, and the best so far among those that keep the constraints."""
    y = _axis([one.values[0] for one in trials], goal, BOTTOM, TOP)
    x = Axis(trials[0].trial, trials[-1].trial, 70, right)
    path: list[Point] = []
    best = None
    for one in (one for one in trials if one.is_kept):
        if best is None or goal.loss(one.values[0]) < goal.loss(best):
            # Steps and not slopes: between two improvements nothing better was known.
            path += [(x(one.trial), y(best))] if best is not None else []
            path.append((x(one.trial), y(one.values[0])))
            best = one.values[0]
    if best is not None:
        path.append((x(trials[-1].trial), y(best)))
    shown = trials[:: -(-len(trials) // MOST_DOTS)]
    return "".join(
        [
            _frame(70, right, f"{goal.metric} by trial"),
            *_y_labels(y),
            svg.label(70, BOTTOM + 18, str(trials[0].trial)),
            svg.label(right, BOTTOM + 18, str(trials[-1].trial), anchor="end"),
            svg.dots([(x(one.trial), y(one.values[0])) for one in shown if one.is_kept], TRIAL),
            svg.dots([(x(one.trial), y(one.values[0])) for one in shown if not one.is_kept], BROKEN),
            svg.line(path, svg.ACCENT),
            _caption(trials, (70 + right) / 2),
        ]
    )


def _finalists(goal: Objective, selection: Selection) -> str:
    """One row a finalist: its interval, its expected value, and what each fresh seed gave."""
    finalists = selection.finalists[:MOST_FINALISTS]
    ends = [end for one in finalists for end in _ends(one)]
    x = Axis(min(ends), max(ends), 545, WIDTH - 30)
    rows = [_row(one, one.trial == selection.winner, x, TOP + 18 + 20 * at) for at, one in enumerate(finalists)]
    return "".join(
        [
            svg.label(480, 26, f"{goal.metric} on fresh seeds", colour=svg.INK, bold=True),
            *rows,
            svg.label(545, BOTTOM + 18, metric(x.low)),
            svg.label(WIDTH - 30, BOTTOM + 18, metric(x.high), anchor="end"),
        ]
    )


def _row(finalist: Finalist, is_winner: bool, x: Axis, y: float) -> str:
    colour = svg.GOOD if is_winner else svg.QUIET
    interval = finalist.interval
    between = svg.line([(x(interval.low), y), (x(interval.high), y)], colour) if interval else ""
    return "".join(
        [
            svg.label(480, y + 4, f"trial {finalist.trial}", colour=colour, bold=is_winner),
            between,
            svg.dots([(x(finalist.expected), y)], colour, 8),
            svg.dots([(x(value), y + 6) for value in finalist.values], TRIAL, 4),
        ]
    )


def _ends(finalist: Finalist) -> tuple[float, ...]:
    interval = finalist.interval
    return (*finalist.values, finalist.expected, *((interval.low, interval.high) if interval else ()))


def _trade(
    goals: Sequence[Objective], trials: Sequence[Measured], front: Front | None, selection: Selection | None
) -> str:
    """The first two objectives against each other, with the front and the finalists' intervals."""
    first, second = goals[0], goals[1]
    best = front.trials if front else ()
    x = _axis([one.values[0] for one in trials], first, 70, WIDTH - 24, [one.values[first.metric] for one in best])
    y = _axis([one.values[1] for one in trials], second, BOTTOM, TOP, [one.values[second.metric] for one in best])
    seen = [(x(one.values[first.metric]), y(one.values[second.metric])) for one in best]
    shown = trials[:: -(-len(trials) // MOST_DOTS)]
    more = f" (the first two of {len(goals)} objectives)" if len(goals) > 2 else ""
    points = selection.front if selection else ()
    return "".join(
        [
            _frame(70, WIDTH - 24, f"{second.metric} against {first.metric}{more}"),
            *_y_labels(y),
            svg.label(70, BOTTOM + 18, metric(x.low)),
            svg.label(WIDTH - 24, BOTTOM + 18, metric(x.high), anchor="end"),
            svg.dots([(x(one.values[0]), y(one.values[1])) for one in shown if one.is_kept], TRIAL),
            svg.dots([(x(one.values[0]), y(one.values[1])) for one in shown if not one.is_kept], BROKEN),
            # A front of three objectives is a surface; joining its points in the plane of two would draw a line that is
            # none.
            svg.line(sorted(seen), svg.ACCENT, 1.5) if len(goals) == 2 else "",
            svg.dots(seen, svg.ACCENT, 6),
            _caption(trials, WIDTH / 2),
            *(
                _cross(one, first, second, x, y, selection is not None and one.trial == selection.winner)
                for one in points
            ),
        ]
    )


def _cross(point: FrontPoint, first: Objective, second: Objective, x: Axis, y: Axis, is_winner: bool) -> str:
    """A finalist of the front: its interval in both objectives."""
    at = x(point.estimates[first.metric]), y(point.estimates[second.metric])
    across, along = (point.intervals.get(goal.metric) for goal in (first, second))
    colour = svg.GOOD if is_winner else svg.INK
    return "".join(
        [
            svg.line([(x(across.low), at[1]), (x(across.high), at[1])], colour) if across else "",
            svg.line([(at[0], y(along.low)), (at[0], y(along.high))], colour) if along else "",
            svg.dots([at], colour, 8),
            svg.label(at[0] + 8, at[1] - 6, str(point.trial), colour=colour, bold=is_winner),
        ]
    )


def _axis(values: Sequence[float], goal: Objective, start: float, end: float, whole: Sequence[float] = ()) -> Axis:
    """From the best value to where the worst tenth begins, or to the worst of those that are to be seen."""
    losses = sorted(goal.loss(value) for value in values)
    # The front is shown whole even where it reaches into the worst tenth of one objective: its ends are the trade-off.
    worst = max(losses[math.ceil(WORST_SHOWN * (len(losses) - 1))], *(goal.loss(value) for value in whole), losses[0])
    ends = goal.loss(losses[0]), goal.loss(worst)
    return Axis(min(ends), max(ends), start, end)


def _caption(trials: Sequence[Measured], x: float) -> str:
    """What the paler dots are, where there are any."""
    if all(one.is_kept for one in trials):
        return ""
    return svg.label(x, BOTTOM + 18, "pale red: breaks a constraint", anchor="middle")


def _y_labels(y: Axis) -> list[str]:
    return [svg.label(62, at + 4, metric(value), anchor="end") for value, at in ((y.low, BOTTOM), (y.high, TOP))]


def _frame(left: float, right: float, title: str) -> str:
    corners = [(left, TOP), (left, BOTTOM), (right, BOTTOM)]
    return svg.line(corners, svg.FAINT, 1) + svg.label(left, 26, title, colour=svg.INK, bold=True)
