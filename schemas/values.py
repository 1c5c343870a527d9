"""What one value of a parameter is: when two are the same, and which number it is; knows no domain."""

import math

from pegbox.schemas.base import Value


def identity(value: Value) -> tuple[bool, Value]:
    """What two values share exactly when they are the same: True is not 1, but 1.0 is."""
    # In Python True == 1 and hash(True) == hash(1), so that [True, 1] would be one level of a categorical; 1.0 and 1
    # are one, because JSON does not keep them apart.
    return isinstance(value, bool), value


def as_number(value: Value) -> float:
    """The value as a number; NaN for a value that is none."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def same(left: Value, right: Value) -> bool:
    """Equality that keeps True apart from 1, but lets 1 and 1.0 be one number."""
    return identity(left) == identity(right)
