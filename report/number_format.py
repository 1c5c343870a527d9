"""Numbers, durations and sizes as a person would write them; rounds for reading, never for storing."""

import math
from collections.abc import Mapping

from pegbox.schemas.base import Value


def number(value: float, digits: int = 4) -> str:
    """A number with as many significant digits, in the shortest usual form.

    >>> [number(x) for x in (0.20314159, 284, 1.23e-3, 12840, 0.5, 1e6, -3e-7)]
    ['0.2031', '284', '1.23e-3', '12840', '0.5', '1e6', '-3e-7']
    """
    if not math.isfinite(value):
        return str(value)
    # A million and more is shorter with an exponent; below a thousandth likewise. Both limits are picked by hand.
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    exponent = math.floor(math.log10(abs(value)))
    if -3 < exponent < 6:
        decimals = max(0, digits - 1 - exponent)
        text = f"{value:.{decimals}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(power)}"


def metric(value: float, digits: int = 4) -> str:
    """A measured number; trailing zeros are kept, because they were measured.

    >>> metric(0.2), metric(0.97222), metric(123.456), metric(0.0004)
    ('0.2000', '0.9722', '123.5', '4.000e-4')
    """
    if not math.isfinite(value) or value == 0:
        return str(value) if value else "0"
    exponent = math.floor(math.log10(abs(value)))
    if -3 < exponent < 6:
        # Below 0.1 no further decimals: values of one column then keep their points below each other.
        return f"{value:.{max(0, digits - 1 - max(exponent, -1))}f}"
    mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
    return f"{mantissa}e{int(power)}"


def parameter(value: Value, digits: int = 3) -> str:
    """The value of a parameter as the study file could write it.

    >>> parameter(0.00123456), parameter(True), parameter((64, 64)), parameter(None), parameter("gelu")
    ('1.23e-3', 'true', '[64, 64]', 'null', 'gelu')
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return number(value, digits)
    if isinstance(value, tuple | list):
        return "[" + ", ".join(parameter(one, digits) for one in value) + "]"
    return value


def uncertain(mean: float, low: float, high: float) -> str:
    """A mean with its interval: the half width to two digits, the mean to the same place.

    >>> uncertain(0.20183, 0.1954, 0.2082), uncertain(0.9, 0.7, 0.95)
    ('0.2018 ± 0.0064', '0.9000 (0.7000 to 0.9500)')
    """
    half = (high - low) / 2
    # A ± claims symmetry, so an interval that is not (5 % of its half width, picked by hand) is written with its ends.
    if half <= 0 or abs((high + low) / 2 - mean) > 0.05 * half:
        return f"{metric(mean)} ({metric(low)} to {metric(high)})"
    # Two digits of an uncertainty, as the Guide to the Expression of Uncertainty in Measurement (7.2.6) has it.
    decimals = 1 - math.floor(math.log10(half))
    if not 0 <= decimals <= 6:
        return f"{metric(mean)} ± {number(half, 2)}"
    return f"{mean:.{decimals}f} ± {half:.{decimals}f}"


def percent(share: float | None) -> str:
    """A share as a person writes it.

    >>> [percent(x) for x in (None, 0.0, 0.004, 0.25, 0.996, 1.0)]
    ['–', '0 %', 'under 1 %', '25 %', 'over 99 %', '100 %']
    """
    if share is None:
        return "–"
    # A rounded 0 % or 100 % would claim a certainty that no sample gives.
    if 0 < share < 0.005:
        return "under 1 %"
    if 0.995 <= share < 1:
        return "over 99 %"
    return f"{100 * share:.0f} %"


def spaced(count: float) -> str:
    """A count with its thousands set apart.

    >>> spaced(9999), spaced(11840), spaced(2.5)
    ('9999', '11 840', '2.5')
    """
    return f"{int(count):,}".replace(",", " ") if count == int(count) and count >= 1e4 else number(count)


def duration(seconds: float) -> str:
    """A span of time in at most two units.

    >>> [duration(x) for x in (0.0036, 0.25, 4.23, 48, 75, 900, 5040, 200000)]
    ['3.6 ms', '0.25 s', '4.2 s', '48 s', '1 min 15 s', '15 min', '1 h 24 min', '2 d 8 h']
    """
    # Limits at half of the last digit that is shown: 59.7 seconds would else be rounded to `60 s` instead of `1 min`.
    if seconds < 0.0995:
        return f"{number(1000 * seconds, 2)} ms"
    if seconds < 59.5:
        return f"{number(seconds, 2) if seconds < 9.95 else round(seconds)} s"
    whole = round(seconds)
    if whole < 600:
        return _two_units(whole, 60, "min", "s")
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return _two_units(minutes, 60, "h", "min")
    return _two_units(round(seconds / 3600), 24, "d", "h")


def _two_units(amount: int, large: int, large_unit: str, small_unit: str) -> str:
    rest = amount % large
    return f"{amount // large} {large_unit}" + (f" {rest} {small_unit}" if rest else "")


def size(n_bytes: float) -> str:
    """An amount of storage.

    >>> size(900), size(1_500_000), size(3.2e9), size(45e6)
    ('900 B', '1.5 MB', '3.2 GB', '45 MB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < 999.5:
            return f"{number(n_bytes, 2) if n_bytes < 10 else round(n_bytes)} {unit}"
        n_bytes /= 1000
    return f"{number(n_bytes, 2) if n_bytes < 10 else round(n_bytes)} TB"


def configuration(values: Mapping[str, Value], digits: int = 3) -> dict[str, str]:
    """Each parameter with its value as text."""
    return {name: parameter(value, digits) for name, value in values.items()}
