"""Failure analysis: what makes trials fail, and in which region of the space (a decision stump, tested by chance)."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pegbox.analysis.advice import Advice
from pegbox.analysis.advised_commands import ask, larger_budget, resume, retry, text
from pegbox.analysis.unit_columns import Cells, Column, Table, tabulate
from pegbox.schemas.base import Value
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.history import History

Mask = npt.NDArray[np.bool_]

# Picked by hand: below these, failures are part of a search, and advice on them would crowd out better one.
MIN_SHARE = 0.05
MIN_FAILURES = 3
MIN_CONCENTRATION = 2.0
"""A region is named where trials fail this many times as often as outside of it."""
MAX_CHANCE = 0.05
"""What chance may explain of a region, all regions that were looked at counted in (Bonferroni)."""


@dataclass(frozen=True)
class Region:
    """Where trials fail.

    Attributes:
        place: In words, such as `lr above 0.03`.
        bound: As an entry of `forbid`, such as `{"lr": {"min": 0.03}}`.
        n_failed: Failures inside.
        n_trials: All trials inside.
    """

    place: str
    bound: dict[str, Any]
    n_failed: int
    n_trials: int


def main_failure_cause(history: History) -> Advice | None:
    """Advice on the most frequent cause of failure; None where it takes less than 5 % of the finished trials."""
    finished = tuple(trial for trial in history.trials if trial.state.is_finished)
    kinds = Counter(trial.failure.kind for trial in history.failed if trial.failure is not None)
    if not kinds:
        return None
    kind, count = kinds.most_common(1)[0]
    if count < MIN_FAILURES or count / len(finished) <= MIN_SHARE:
        return None
    failed = np.array([trial.failure is not None and trial.failure.kind is kind for trial in finished])
    region = where_it_fails(tabulate(history.space, finished), failed)
    name = kind.value.replace("_", " ")
    evidence = f"{count} of {len(finished)} finished trials ended as {name} ({count / len(finished):.0%})."
    if region is None:
        what, command = _remedy(history, kind)
        return Advice(kind="failures", what=f"{what} ({name}).", evidence=evidence, command=command)
    return Advice(
        kind="failures",
        what=f"Keep away from {region.place}: trials fail there ({name}).",
        evidence=f"{evidence} {region.n_failed} of the {region.n_trials} trials with {region.place} failed.",
        command=resume(
            history, f"space.forbid={json.dumps([*_forbidden(history), region.bound])}", *larger_budget(history)
        ),
    )


def _remedy(history: History, kind: FailureKind) -> tuple[str, str]:
    """What to do about failures that happen anywhere in the space, and its command."""
    run = history.spec.run
    match kind:
        case FailureKind.TIMEOUT if run.timeout is not None:
            return "Give trials more time", retry(history, f"run.timeout={2 * run.timeout:g}")
        case FailureKind.OUT_OF_MEMORY | FailureKind.KILLED if run.workers > 1:
            return "Train fewer trials at once", retry(history, f"run.workers={run.workers // 2}")
        case FailureKind.OUT_OF_MEMORY if run.memory is not None:
            return "Give trials more memory than run.memory allows", retry(history, "run.memory=null")
        case FailureKind.LOST:
            return "Try again: the machine went away, not the trials", retry(history)
        case _:
            query = f"FROM failures WHERE study = {text(history.spec.name)} AND failure_kind = {text(kind.value)}"
            return "See to the cause of the failures", ask(query)


def _forbidden(history: History) -> list[Any]:
    """What the space forbids already."""
    return list(history.space.model_dump(mode="json").get("forbid", ()))


def where_it_fails(table: Table, failed: Mask) -> Region | None:
    """The one-parameter region that best tells failures from the rest; None where none tells them apart.

    Args:
        table: The finished trials.
        failed: Shape (n_trials,), True for a failure.
    """
    cells = table.cells()
    found = [one for at, column in enumerate(table.columns) for one in _regions(column, cells[:, at], failed)]
    apart = [
        (gain, region)
        for gain, region in found
        if _is_concentrated(region, failed) and len(found) * _chance(region, failed) < MAX_CHANCE
    ]
    return max(apart, key=lambda one: one[0])[1] if apart else None


def _regions(column: Column, cells: Cells, failed: Mask) -> list[tuple[float, Region]]:
    """Every half-line of an ordered column, or category of another, with how much it explains."""
    found = []
    for cell in range(column.n_cells):
        if not column.is_ordered:
            value = column.listed[cell]
            found.append(_region(f"{column.name} = {value}", {column.name: value}, cells == cell, failed))
            continue
        low, high = _end(column, cell, False), _end(column, cell, True)
        if cell > 0:
            bound = _beyond(column, low, "min", range(cell, column.n_cells))
            found.append(_region(f"{column.name} above {low}", bound, cells >= cell, failed))
        if cell < column.n_cells - 1:
            bound = _beyond(column, high, "max", range(cell + 1))
            inside = (cells <= cell) & (cells >= 0)
            found.append(_region(f"{column.name} below {high}", bound, inside, failed))
    return found


def _beyond(column: Column, end: Value, side: str, cells: Iterable[int]) -> dict[str, Any]:
    """A half-line as an entry of `forbid`: by its end, or as a list where the values are no numbers."""
    if isinstance(end, str | tuple):
        return {column.name: [column.listed[cell] for cell in cells]}
    return {column.name: {side: end}}


def _region(place: str, bound: dict[str, Any], inside: Mask, failed: Mask) -> tuple[float, Region]:
    """The region and the variance of failing between its inside and its outside."""
    n_trials, n_failed = int(inside.sum()), int((inside & failed).sum())
    share = inside.mean()
    if not 0 < share < 1:
        return 0.0, Region(place, bound, n_failed, n_trials)
    gain = share * (1 - share) * (failed[inside].mean() - failed[~inside].mean()) ** 2
    return float(gain), Region(place, bound, n_failed, n_trials)


def _is_concentrated(region: Region, failed: Mask) -> bool:
    n_outside = len(failed) - region.n_trials
    if region.n_failed < MIN_FAILURES or n_outside < MIN_FAILURES:
        return False
    inside, outside = region.n_failed / region.n_trials, (failed.sum() - region.n_failed) / n_outside
    # A quarter inside and half of all failures: forbidding the region must save more than the good trials it costs.
    return bool(inside >= max(MIN_CONCENTRATION * outside, 0.25) and region.n_failed >= failed.sum() / 2)


def _chance(region: Region, failed: Mask) -> float:
    """Probability of so many failures in a region of its size, were they spread at random."""
    from scipy.stats import hypergeom  # takes a second to load

    return float(hypergeom.sf(region.n_failed - 1, len(failed), int(failed.sum()), region.n_trials))


def _end(column: Column, cell: int, is_high: bool) -> Value:
    """The end of a cell: the listed value itself, or the edge of a stretch with three digits."""
    if cell in column.listed:
        return column.listed[cell]
    value = column.value(float(column.edges[cell + 1]) - 1e-9 if is_high else float(column.edges[cell]) + 1e-9)
    return float(f"{value:.3g}") if isinstance(value, float) else value
