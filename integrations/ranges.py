"""Distributions of other tools as domains of a study file: what would stand there under the parameter's name."""

import math
from typing import Any

RawDomain = Any
"""A mapping, a list of values or one value, as `Space.model_validate` reads it."""


def number_range(
    low: float, high: float, *, log: bool = False, step: float | None = None, whole: bool = False
) -> RawDomain:
    """A range between two bounds, both included; one value where they are equal."""
    if whole:
        low, high = int(low), int(high)
        step = None if step == 1 else step
    # A range without extent is a constant, and the schema refuses it as a range.
    if low == high:
        return {"value": low}
    return (
        {"min": low, "max": high}
        | ({"log": True} if log else {})
        | ({"step": int(step) if whole else step} if step is not None else {})
        | ({"int": True} if whole else {})
    )


def multiples(low: float, high: float, step: float, *, log: bool = False) -> RawDomain:
    """What rounding to multiples of a step leaves of a range: whole numbers where the step is one.

    On a logarithmic scale 0, which rounding may give, stands beside the range.
    """
    first, last = _rounded(low, step), _rounded(high, step)
    has_zero = log and first <= 0
    # A logarithmic range cannot begin at 0, so that it begins at the first multiple above.
    first = step if has_zero else first
    domain = number_range(first, max(first, last), log=log, step=step, whole=float(step).is_integer())
    return domain | {"extra": [0]} if has_zero and "min" in domain else domain


def normal(mean: float, std: float, *, log: bool = False, step: float | None = None) -> RawDomain:
    """A normal distribution or, where `log` holds, a lognormal one; rounded to multiples of a step where one is given.

    Multiples begin at one of them, so such a distribution ends near four standard deviations.
    """
    domain: dict[str, Any] = {"lognormal" if log else "normal": {"mean": mean, "std": std}}
    if step is None:
        return domain
    # Beyond lie 6 of 100,000 draws: none that a study would see.
    low, high = (mean - 4 * std, mean + 4 * std)
    low, high = (math.exp(low), math.exp(high)) if log else (low, high)
    first = max(_rounded(low, step), step) if log else _rounded(low, step)
    ends = number_range(first, max(_rounded(high, step), first + step), step=step, whole=float(step).is_integer())
    return domain | ends


def _rounded(number: float, step: float) -> float:
    # Twelve digits: 3 * 0.1 is 0.30000000000000004, and so it would stand in the study file.
    return float(f"{round(number / step) * step:.12g}")
