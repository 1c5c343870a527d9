"""Domains in code, `pegbox.Float(1e-4, 1e-1, log=True)`: entries of `space` in a study file, checked by its schema."""

from collections.abc import Mapping, Sequence
from typing import Any

Declared = dict[str, Any]
"""An entry of `space`, as a study file writes it."""


def Float(  # noqa: N802 - reads as the type that it declares
    low: float, high: float, *, log: bool = False, step: float | None = None, when: Mapping[str, Any] | None = None
) -> Declared:
    """A real range, both ends included.

    Args:
        low: The lowest value.
        high: The highest value.
        log: True where ratios count, as for a learning rate.
        step: Values on a grid from `low`.
        when: Other parameters and the values of them for which this one is there at all.

    >>> Float(1e-4, 1e-1, log=True)
    {'min': 0.0001, 'max': 0.1, 'log': True}
    """
    return _declared(min=float(low), max=float(high), log=log or None, step=step, when=when)


def Int(  # noqa: N802 - reads as the type that it declares
    low: int, high: int, *, log: bool = False, step: int | None = None, when: Mapping[str, Any] | None = None
) -> Declared:
    """A range of whole numbers, both ends included; arguments as of `Float`.

    >>> Int(1, 5)
    {'min': 1, 'max': 5, 'int': True}
    """
    return _declared(min=low, max=high, int=True, log=log or None, step=step, when=when)


def Choice(values: Sequence[Any], *, ordered: bool = False, when: Mapping[str, Any] | None = None) -> Declared:  # noqa: N802 - as above
    """One of some values.

    Args:
        values: At least one.
        ordered: True where their order means something, from small to large.
        when: As of `Float`.

    >>> Choice(["adamw", "sgd"])
    {'values': ['adamw', 'sgd']}
    """
    return _declared(values=list(values), ordered=ordered or None, when=when)


def Const(value: Any) -> Declared:  # noqa: N802 - as above
    """A value that is handed to the training and not searched.

    >>> Const(64)
    {'value': 64}
    """
    return {"value": value}


def _declared(**entries: Any) -> Declared:
    """What was said; an argument that was left out is no entry."""
    return {name: value for name, value in entries.items() if value is not None}
