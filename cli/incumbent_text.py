"""What a search has reached, in a few words: its best, its front, the constraints that are broken; computes nothing."""

from collections.abc import Mapping, Sequence

from rich.text import Text

from pegbox.cli.console import safe
from pegbox.cli.sparkline import sparkline
from pegbox.report.incumbent import BrokenConstraint
from pegbox.report.number_format import metric
from pegbox.report.progress import FailureExample
from pegbox.report.status import StudyStatus
from pegbox.schemas.base import Metrics
from pegbox.schemas.trial import TrialState

# Picked by hand: how a search came down fits beside its number in half a line.
MOST_BARS = 16
"""Of the best so far."""


def draw_incumbent(status: StudyStatus) -> list[Text]:
    """The best value of one objective and how it came about, or how far the front of several has come and its knee."""
    best, seen, front = status.best, status.incumbent, status.front
    chosen = [_told("best", best.value, best.trial, " on fresh seeds")] if best and best.is_selected else []
    if seen is None:
        return chosen
    if front is None:
        bars = f"  {sparkline(status.best_so_far, MOST_BARS)}".rstrip()
        told = _told("search saw" if chosen else "best so far", seen.value, seen.trial)
        return [*chosen, told.append(bars, style="metric")]
    size = len(front.trials)
    parts = [Text.assemble("front ", (str(size), "good"), " trial" if size == 1 else " trials")]
    if front.hypervolume is not None:
        gained = f" (+{front.gained_lately:.3f} lately)" if front.gained_lately else ""
        parts.append(Text.assemble("hypervolume ", (f"{front.hypervolume:.3f}", "good"), (gained, "quiet")))
    return [*chosen, *parts, Text.assemble(f"knee trial {seen.trial} ", (values_text(seen.values), "good"))]


def _told(label: str, value: float, trial: int, how: str = "") -> Text:
    return Text.assemble(f"{label} ", (metric(value), "good"), (f" trial {trial}{how}", "quiet"))


def draw_constraints(constraints: Sequence[BrokenConstraint], counts: Mapping[TrialState, int]) -> list[Text]:
    """A line for each constraint that completed trials break."""
    n_completed = counts.get(TrialState.COMPLETED, 0)
    return [_broken(one, n_completed) for one in constraints if one.n_broken]


def _broken(one: BrokenConstraint, n_completed: int) -> Text:
    nearest = "" if one.nearest is None else f"; the nearest has {metric(one.nearest)}"
    who = f"{one.n_broken} of {n_completed}" if one.n_broken < n_completed else f"all {n_completed}"
    break_it = "breaks" if one.n_broken == 1 else "break"
    limit = f"{who} completed {break_it} {safe(one.metric)} {one.limit}"
    return Text(limit + nearest, style="warn" if one.n_broken == n_completed else "quiet")


def draw_failure(failure: FailureExample) -> Text:
    """How a trial failed, in one line."""
    return Text.assemble(
        (f"trial {failure.trial} failed: ", "quiet"), (safe(first_line(failure.message)), "bad"), overflow="ellipsis"
    )


def first_line(message: str | None) -> str:
    """What a message begins with."""
    lines = (message or "").strip().splitlines()
    return lines[0] if lines else "no message"


def values_text(values: Metrics) -> str:
    """`val_loss 0.2031, seconds 12.40`."""
    return ", ".join(f"{safe(name)} {metric(value)}" for name, value in values.items())
