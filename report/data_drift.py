"""How the data of a schedule drifted from run to run: rows, columns, target, and the shift of each column's mean."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from pegbox.datasets.prepared import read_understanding
from pegbox.datasets.preprocessing import preprocessing_path
from pegbox.report.number_format import number, percent, spaced
from pegbox.schemas.base import Schema
from pegbox.schemas.preprocessing import Preprocessing
from pegbox.schemas.understanding import DataUnderstanding
from pegbox.storage.layout import StoreLayout

# A fifth of a deviation is what Cohen (Statistical Power Analysis, 1988) calls a small effect; half of that is told,
# because many small shifts together are what a model is out of date by.
LEAST_SHIFT = 0.1
# The other bounds are picked by hand: what is told of one state of the data is to be read at a glance.
LEAST_SHARE = 0.02
"""By so much the share of a class, or of missing values, must differ to be told."""
MOST_TOLD = 6


class DataState(Schema):
    """One state of the data, and what changed since the one before."""

    fingerprint: str
    n_rows: int | None
    """None where the prepared data is gone from the store."""
    target: str = ""
    """Where its values lie, in words."""
    changes: tuple[str, ...] = ()
    """Against the state before that is still there; empty for the first."""


class _Seen(Schema):
    understood: DataUnderstanding
    preprocessing: Preprocessing | None


def data_states(store: StoreLayout, fingerprints: Sequence[str]) -> tuple[DataState, ...]:
    """Each different state of the data in its order, with what changed; reads what was kept when it was prepared.

    Args:
        store: Where prepared data lies.
        fingerprints: Of the data that runs read, oldest first.
    """
    states, before = [], None
    for fingerprint in dict.fromkeys(fingerprints):
        seen = _seen(store.data / fingerprint)
        states.append(_state(fingerprint, seen, before))
        before = seen or before
    return tuple(states)


def _seen(directory: Path) -> _Seen | None:
    understood = read_understanding(directory)
    if understood is None:
        return None
    try:
        # Of the first fold: its training rows are most of all rows.
        preprocessing = Preprocessing.model_validate_json(preprocessing_path(directory, 0).read_bytes())
    except (OSError, ValidationError):  # an earlier version prepared it
        preprocessing = None
    return _Seen(understood=understood, preprocessing=preprocessing)


def _state(fingerprint: str, seen: _Seen | None, before: _Seen | None) -> DataState:
    if seen is None:
        return DataState(fingerprint=fingerprint, n_rows=None)
    return DataState(
        fingerprint=fingerprint,
        n_rows=_n_rows(seen),
        target=_target(seen.understood),
        changes=_changes(seen, before) if before else (),
    )


def _n_rows(seen: _Seen) -> int:
    return sum(seen.understood.n_rows.values())


def _target(understood: DataUnderstanding) -> str:
    if extent := understood.target_range:
        return f"{understood.target} {number(extent.mean)}, deviation {number(extent.std)}"
    shares = list(understood.class_shares.items())[:3]
    return f"{understood.target} " + ", ".join(f"{name} {percent(share)}" for name, share in shares)


def _changes(now: _Seen, before: _Seen) -> tuple[str, ...]:
    rows = _n_rows(now) - _n_rows(before)
    found = [
        *([f"{spaced(abs(rows))} rows {'more' if rows > 0 else 'less'}"] if rows else []),
        *_target_changes(now.understood, before.understood),
        *_column_changes(now.understood, before.understood),
        *_shifts(now.preprocessing, before.preprocessing),
    ]
    more = [f"and {len(found) - MOST_TOLD} more"] if len(found) > MOST_TOLD else []
    return (*(found[:MOST_TOLD] or ["the same rows, columns and means as far as they are told"]), *more)


def _target_changes(now: DataUnderstanding, before: DataUnderstanding) -> list[str]:
    if now.target_range and before.target_range and before.target_range.std:
        shift = (now.target_range.mean - before.target_range.mean) / before.target_range.std
        return [_shift_in_words(now.target, shift)] if abs(shift) >= LEAST_SHIFT else []
    names = dict.fromkeys([*now.class_shares, *before.class_shares])
    pairs = [(name, before.class_shares.get(name, 0.0), now.class_shares.get(name, 0.0)) for name in names]
    return [
        f"{now.target} {name}: {percent(then)} → {percent(share)}"
        for name, then, share in pairs
        if abs(share - then) >= LEAST_SHARE
    ]


def _column_changes(now: DataUnderstanding, before: DataUnderstanding) -> list[str]:
    """Columns that came or went, are something else, or have other gaps."""
    columns = [{one.name: one for one in seen.columns} for seen in (now, before)]
    came = [f"{name} is new" for name in columns[0] if name not in columns[1]]
    went = [f"{name} is gone" for name in columns[1] if name not in columns[0]]
    both = [(columns[0][name], columns[1][name]) for name in columns[0] if name in columns[1]]
    kinds = [f"{one.name}: {other.kind} → {one.kind}" for one, other in both if one.kind != other.kind]
    levels = [
        f"{one.name}: {other.n_levels} → {one.n_levels} levels" for one, other in both if one.n_levels != other.n_levels
    ]
    sizes = [max(1, sum(seen.n_rows.values())) for seen in (now, before)]
    gaps = [
        f"{one.name} missing: {percent(other.n_missing / sizes[1])} → {percent(one.n_missing / sizes[0])}"
        for one, other in both
        if abs(one.n_missing / sizes[0] - other.n_missing / sizes[1]) >= LEAST_SHARE
    ]
    return [*came, *went, *kinds, *levels, *gaps]


def _shifts(now: Preprocessing | None, before: Preprocessing | None) -> list[str]:
    """Columns of numbers whose mean moved, the farthest first; in deviations of the state before."""
    if now is None or before is None:
        return []
    # The gaps' indicators stand at the end of the means, behind the columns themselves.
    known = zip(before.numeric, before.means, before.deviations, strict=False)
    then = {one.name: (mean, deviation) for one, mean, deviation in known}
    shifts = [
        (one.name, (mean - then[one.name][0]) / deviation)
        for one, mean in zip(now.numeric, now.means, strict=False)
        if one.name in then and (deviation := then[one.name][1])
    ]
    moved = sorted((one for one in shifts if abs(one[1]) >= LEAST_SHIFT), key=lambda one: -abs(one[1]))
    return [_shift_in_words(name, shift) for name, shift in moved]


def _shift_in_words(name: str, shift: float) -> str:
    return f"{name} moved {'up' if shift > 0 else 'down'} by {number(abs(shift), 2)} of its deviations"
