"""A curve in one word."""

import math
from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], points: int = 8) -> str:
    """A curve as so many bars at most.

    >>> sparkline([4, 3, 2, 1])
    '█▆▃▁'
    """
    if len(values) < 2:
        return ""
    picked = [values[round(i * (len(values) - 1) / (points - 1))] for i in range(points)]
    picked = list(values) if len(values) <= points else picked
    # A factor of five is picked by hand: eight heights cannot show less than an eighth of the range.
    if min(picked) > 0 and max(picked) > 5 * min(picked):
        picked = [math.log(value) for value in picked]  # a first loss far above the others would flatten them all
    low, high = min(picked), max(picked)
    if high == low:
        return BARS[0] * len(picked)
    return "".join(BARS[round((value - low) / (high - low) * (len(BARS) - 1))] for value in picked)
