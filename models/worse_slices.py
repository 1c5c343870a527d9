"""Slices on which a model is worse than elsewhere beyond noise: levels of categories, quarters of numbers."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import hypergeom, ttest_ind_from_stats

from pegbox.schemas.arrays import Part
from pegbox.schemas.diagnostics import WorseSlice
from pegbox.schemas.preprocessing import Feature, Preprocessing

Floats = npt.NDArray[np.float64]

# Picked by hand: a share of ten rows may be anything, and a test of means wants some rows on either side.
FEWEST_ROWS = 20
"""In a slice, and outside of it."""
SIGNIFICANCE = 0.05
"""Of all slices together, so that one in twenty models is wronged."""
MOST_TOLD = 5
N_PARTS = 4
"""Quarters of a column of numbers."""


class _Slice(NamedTuple):
    column: str
    told: str
    rows: npt.NDArray[np.bool_]


def worse_slices(
    how: Preprocessing, part: Part, errors: Floats, *, is_share: bool
) -> tuple[tuple[WorseSlice, ...], int]:
    """The slices with a larger mean error than all other rows, by one-sided tests with Holm's correction.

    Of wrong answers it is Fisher's exact test, of absolute errors Welch's.

    Args:
        errors: Of each row, shape (n_rows,).
        is_share: True where each is 0 or 1.

    Returns:
        The worst few, and how many slices were looked at.

    Source: Fisher 1922; Welch 1947; Holm 1979.
    """
    slices = [one for one in _slices(how, part) if FEWEST_ROWS <= one.rows.sum() <= len(part) - FEWEST_ROWS]
    values = [_p_value(errors[one.rows], errors[~one.rows], is_share=is_share) for one in slices]
    order = np.argsort(values, kind="stable")
    found, corrected = [], 0.0
    for rank, place in enumerate(order):
        corrected = max(corrected, min(1.0, values[place] * (len(slices) - rank)))
        if corrected > SIGNIFICANCE:
            break
        one = slices[place]
        found.append(
            WorseSlice(
                column=one.column,
                told=one.told,
                n_rows=int(one.rows.sum()),
                value=float(errors[one.rows].mean()),
                elsewhere=float(errors[~one.rows].mean()),
                p_value=corrected,
            )
        )
    return tuple(sorted(found, key=lambda one: one.elsewhere - one.value)[:MOST_TOLD]), len(slices)


def _p_value(inside: Floats, outside: Floats, *, is_share: bool) -> float:
    """That the mean error inside is no larger than outside."""
    if is_share:
        n_wrong = int(inside.sum())
        n_rows, n_wrong_at_all = len(inside) + len(outside), n_wrong + int(outside.sum())
        return float(hypergeom.sf(n_wrong - 1, n_rows, n_wrong_at_all, len(inside)))
    if not inside.std() and not outside.std():  # no spread, no test
        return 0.0 if inside.mean() > outside.mean() else 1.0
    # From the moments: of nearly equal errors the test on values warns of their rounding.
    sides = [(float(side.mean()), float(side.std(ddof=1)), len(side)) for side in (inside, outside)]
    return float(ttest_ind_from_stats(*sides[0], *sides[1], equal_var=False, alternative="greater").pvalue)


def _slices(how: Preprocessing, part: Part) -> Iterator[_Slice]:
    for i, feature in enumerate(how.categorical):
        codes = part.categorical[:, i]
        names = ("is missing or new", *(f"is {level!r}" for level in feature.levels))
        yield from (_Slice(feature.name, names[code], codes == code) for code in np.unique(codes).tolist())
    for i, feature in enumerate(how.numeric):
        yield from _number_slices(how, feature, i, part.numeric)


def _number_slices(
    how: Preprocessing, feature: Feature, place: int, numeric: npt.NDArray[np.float32]
) -> Iterator[_Slice]:
    deviation = how.deviations[place]
    if deviation is None:
        return
    values = numeric[:, place].astype(np.float64) * deviation + how.means[place]
    is_there = np.ones(len(values), dtype=bool)
    if place in how.gaps:
        at = len(how.numeric) + how.gaps.index(place)
        is_there = numeric[:, at] * (how.deviations[at] or 0.0) + how.means[at] < 0.5  # half way from 0 to 1
        yield _Slice(feature.name, "is missing", ~is_there)
    known = values[is_there]
    if feature.kind == "yes or no":
        yield from (
            _Slice(feature.name, f"is {word}", is_there & (values.round() == n)) for n, word in enumerate(("no", "yes"))
        )
        return
    if not len(known):
        return
    edges = np.unique(np.quantile(known, np.linspace(0, 1, N_PARTS + 1)))
    for low, high in pairwise(edges.tolist()):
        # Closed at the top, and the first one at the bottom as well: each row lies in one of them.
        inside = (values > low if low > edges[0] else values >= low) & (values <= high) & is_there
        yield _Slice(feature.name, f"from {_written(low, feature)} to {_written(high, feature)}", inside)


def _written(value: float, feature: Feature) -> str:
    if feature.kind == "date":
        return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=float(value)):%Y-%m-%d}"
    return f"{value:.4g}"
