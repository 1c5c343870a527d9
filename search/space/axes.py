"""One parameter's values on the unit interval, there and back, on its scale; conditions live in `encoding`."""

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from pegbox.schemas.base import Value
from pegbox.schemas.domains import AnyDomain, Categorical, Constant, Float, Integer, Normal, Ordinal
from pegbox.schemas.values import as_number, identity

Array = npt.NDArray[np.float64]

DIGITS = 12
"""A real number is proposed with so many digits; coarser than rounding errors, so that round trips are exact.

A double holds 15 to 17; the three to five that are left take up the errors of a logarithm and its exponential.
"""
EXTRA_SHARE = 0.1
"""Share of the unit interval that each extra value beside a range of real numbers takes. Picked by hand: a `0` beside a
logarithmic range is tried once in ten draws, which is soon enough, and leaves the range nine."""


class Axis(Protocol):
    """The values of one parameter, laid out on [0, 1]; discrete values lie in cells of equal width."""

    n_values: int | None
    """How many values there are; None for a continuum."""
    is_ordered: bool
    """True if neighbours on the interval are neighbours in meaning."""

    def value(self, unit: float) -> Value:
        """The value at a point of [0, 1]."""
        ...

    def unit(self, value: Value) -> float:
        """The point that stands for a value of the domain; `value` takes it back exactly."""
        ...

    def snap(self, units: Array) -> Array:
        """Each point moved to the one that stands for its value, same shape."""
        ...

    def numbers(self, units: Array) -> Array:
        """The values as numbers, same shape; NaN for a value that is none."""
        ...


class ListAxis:
    """A list of values in cells of equal width."""

    def __init__(self, values: tuple[Value, ...], is_ordered: bool) -> None:
        self._values = values
        self.n_values: int | None = len(values)
        self.is_ordered = is_ordered
        self._positions = {identity(value): position for position, value in enumerate(values)}
        self._numbers = np.array([as_number(value) for value in values])

    def value(self, unit: float) -> Value:
        """The value of the cell."""
        return self._values[cell_of(unit, len(self._values))]

    def unit(self, value: Value) -> float:
        """The middle of the value's cell."""
        return (self._positions[identity(value)] + 0.5) / len(self._values)

    def snap(self, units: Array) -> Array:
        """The middle of each point's cell."""
        return (self._cells(units) + 0.5) / len(self._values)

    def holds(self, value: Value) -> bool:
        """True if the value is on the list."""
        return identity(value) in self._positions

    def numbers(self, units: Array) -> Array:
        """The values that are numbers; NaN for the others."""
        return self._numbers[self._cells(units)]

    def _cells(self, units: Array) -> npt.NDArray[np.int64]:
        n = len(self._values)
        return np.clip(np.floor(units * n), 0, n - 1).astype(np.int64)


class SteppedAxis:
    """low, low + step, low + 2 step, ... in cells of equal width; whole numbers where low and step are."""

    def __init__(self, low: float, high: float, step: float) -> None:
        n_values = count_steps(low, high, step)
        self._low, self._high, self._step, self._n = low, high, step, n_values
        self.n_values: int | None = n_values
        self.is_ordered = True
        self._decimals = None if isinstance(low, int) and isinstance(step, int) else decimals_of(step * n_values)

    def value(self, unit: float) -> Value:
        """The value of the cell."""
        number = self._low + cell_of(unit, self._n) * self._step
        return number if self._decimals is None else min(round(number, self._decimals), self._high)

    def unit(self, value: Value) -> float:
        """The middle of the value's cell."""
        # Rounded, not cut: 0.3 - 0.1 is a little less than two steps of 0.1.
        position = round((as_number(value) - self._low) / self._step)
        return (min(max(position, 0), self._n - 1) + 0.5) / self._n

    def snap(self, units: Array) -> Array:
        """The middle of each point's cell."""
        return np.asarray((np.clip(np.floor(units * self._n), 0, self._n - 1) + 0.5) / self._n)

    def numbers(self, units: Array) -> Array:
        """The values."""
        return np.asarray(self._low + np.clip(np.floor(units * self._n), 0, self._n - 1) * self._step)


class Scale(NamedTuple):
    """A monotone map of numbers to positions, whole arrays at a time; equal stretches are searched equally."""

    position: Callable[[Array], Array]
    number: Callable[[Array], Array]
    """The inverse of `position`."""


LOGARITHMIC = Scale(np.log, np.exp)


def normal_scale(density: Normal, log: bool) -> Scale:
    """The distribution function of a normal distribution, of the logarithm where `log` holds."""
    from scipy.special import ndtr, ndtri  # takes a moment to load, and few spaces need it

    def position(numbers: Array) -> Array:
        return np.asarray(ndtr(((np.log(numbers) if log else numbers) - density.mean) / density.std))

    def number(positions: Array) -> Array:
        located = density.mean + density.std * ndtri(positions)
        return np.asarray(np.exp(located) if log else located)

    return Scale(position, number)


class ScaledStepsAxis:
    """low, low + step, ... on a scale; each value takes the stretch from half a step below to half a step above it."""

    def __init__(self, low: float, high: float, step: float, scale: Scale) -> None:
        self._low, self._step, self._scale = low, step, scale
        self._n = count_steps(low, high, step)
        self._high = min(high, low + (self._n - 1) * step)
        # On a logarithmic scale half a step below the lowest value may not exist; as far below as the half above then.
        edge = low - step / 2
        below = edge if edge > 0 or scale is not LOGARITHMIC else low * low / (low + step / 2)
        self._start = float(scale.position(np.array(below)))
        self._length = float(scale.position(np.array(self._high + step / 2))) - self._start
        self.n_values: int | None = self._n
        self.is_ordered = True
        is_whole = isinstance(low, int) and isinstance(step, int)
        self._decimals = None if is_whole else decimals_of(step * self._n)

    def value(self, unit: float) -> Value:
        """The nearest value."""
        number = float(self._scale.number(np.array(self._start + unit * self._length)))
        cell = min(max(round((number - self._low) / self._step), 0), self._n - 1) if math.isfinite(number) else 0
        value = self._low + cell * self._step
        return value if self._decimals is None else min(round(value, self._decimals), self._high)

    def unit(self, value: Value) -> float:
        """Where the number lies on the scale."""
        return float(self._position(np.array(as_number(value))))

    def snap(self, units: Array) -> Array:
        """Where each point's value lies on the scale."""
        return self._position(self.numbers(units))

    def numbers(self, units: Array) -> Array:
        """The values."""
        numbers = self._scale.number(self._start + units * self._length)
        cells = np.clip(np.rint((numbers - self._low) / self._step), 0, self._n - 1)
        return np.asarray(self._low + cells * self._step)

    def _position(self, numbers: Array) -> Array:
        return np.asarray((self._scale.position(numbers) - self._start) / self._length)


class FloatAxis:
    """Real numbers between two bounds, on a linear or logarithmic scale."""

    def __init__(self, low: float, high: float, log: bool) -> None:
        self._low, self._high, self._log = float(low), float(high), log
        self._start = math.log(low) if log else float(low)
        self._length = (math.log(high) if log else float(high)) - self._start
        self._decimals = decimals_of(float(high) - float(low))
        self.n_values: int | None = None
        self.is_ordered = True

    def value(self, unit: float) -> Value:
        """The number there, with `DIGITS` digits."""
        # The bounds exactly: the exponential of the logarithm of 1e-5 need not be 1e-5.
        if unit <= 0.0 or unit >= 1.0:
            return self._low if unit <= 0.0 else self._high
        scaled = self._start + unit * self._length
        return self.rounded(math.exp(scaled) if self._log else scaled)

    def rounded(self, exact: float) -> float:
        """The number with `DIGITS` digits, or the bound that it lies beyond or too near to be told from."""
        number = float(f"{exact:.{DIGITS - 1}e}") if self._log else round(exact, self._decimals)
        nearest = 10.0 ** (1 - DIGITS) * number if self._log else 10.0**-self._decimals
        if number - nearest <= self._low:
            return self._low
        return self._high if number + nearest >= self._high else number

    def unit(self, value: Value) -> float:
        """Where the number lies on the scale."""
        number = min(max(as_number(value), self._low), self._high)
        return min(max(((math.log(number) if self._log else number) - self._start) / self._length, 0.0), 1.0)

    def snap(self, units: Array) -> Array:
        """The points themselves, held in [0, 1]."""
        return np.clip(units, 0.0, 1.0)

    def numbers(self, units: Array) -> Array:
        """The values, not rounded."""
        scaled = self._start + self.snap(units) * self._length
        return np.clip(np.exp(scaled) if self._log else scaled, self._low, self._high)


class DensityAxis:
    """Real numbers of a normal distribution between two bounds; equal stretches of [0, 1] are equally probable."""

    def __init__(self, low: float, high: float, density: Normal, log: bool) -> None:
        self._low, self._high = float(low), float(high)
        self._scale = normal_scale(density, log)
        self._start = float(self._scale.position(np.array(low)))
        self._length = float(self._scale.position(np.array(high))) - self._start
        self._rounding = FloatAxis(low, high, log)
        self.n_values: int | None = None
        self.is_ordered = True

    def value(self, unit: float) -> Value:
        """The number there, with `DIGITS` digits."""
        if unit <= 0.0 or unit >= 1.0:
            return self._low if unit <= 0.0 else self._high
        return self._rounding.rounded(float(self._scale.number(np.array(self._start + unit * self._length))))

    def unit(self, value: Value) -> float:
        """The probability of a lower number."""
        number = min(max(as_number(value), self._low), self._high)
        return min(max((float(self._scale.position(np.array(number))) - self._start) / self._length, 0.0), 1.0)

    def snap(self, units: Array) -> Array:
        """The points themselves, held in [0, 1]."""
        return np.clip(units, 0.0, 1.0)

    def numbers(self, units: Array) -> Array:
        """The values, not rounded."""
        return np.clip(self._scale.number(self._start + self.snap(units) * self._length), self._low, self._high)


class ExtendedAxis:
    """A range with extra values beside it: those above the range at the upper end, all others at the lower."""

    def __init__(self, base: Axis, below: tuple[Value, ...], above: tuple[Value, ...]) -> None:
        n_extra = len(below) + len(above)
        share = EXTRA_SHARE if base.n_values is None else 1 / (base.n_values + n_extra)
        # A hundredth at least, or one extra beside a million integers would never be tried; half in all at most, or
        # twenty extras would leave no room for the range. Picked by hand.
        share = min(max(share, 0.01), 0.5 / n_extra)
        self._start, self._end = share * len(below), 1 - share * len(above)
        self._base, self._below, self._above = base, ListAxis(below, True), ListAxis(above, True)
        self.n_values: int | None = None if base.n_values is None else base.n_values + n_extra
        self.is_ordered = True

    def value(self, unit: float) -> Value:
        """An extra value at the ends, the range's value between them."""
        if unit < self._start:
            return self._below.value(unit / self._start)
        if unit > self._end:
            return self._above.value((unit - self._end) / (1 - self._end))
        return self._base.value((unit - self._start) / (self._end - self._start))

    def unit(self, value: Value) -> float:
        """The point of the extra value, or of the range's value."""
        if self._below.holds(value):
            return self._below.unit(value) * self._start
        if self._above.holds(value):
            return self._end + self._above.unit(value) * (1 - self._end)
        return min(self._start + self._base.unit(value) * (self._end - self._start), self._end)

    def snap(self, units: Array) -> Array:
        """Extra values at the middle of their cells, the range's values where its own axis has them."""
        low, high = units < self._start, units > self._end
        snapped = np.clip(units, self._start, self._end)
        if self._base.n_values is not None:
            inner = (snapped - self._start) / (self._end - self._start)
            snapped = np.minimum(self._start + self._base.snap(inner) * (self._end - self._start), self._end)
        snapped[low] = self._below.snap(units[low] / self._start) * self._start
        snapped[high] = self._end + self._above.snap((units[high] - self._end) / (1 - self._end)) * (1 - self._end)
        return snapped

    def numbers(self, units: Array) -> Array:
        """The values."""
        numbers = self._base.numbers(np.clip((units - self._start) / (self._end - self._start), 0.0, 1.0))
        low, high = units < self._start, units > self._end
        numbers[low] = self._below.numbers(units[low] / self._start)
        numbers[high] = self._above.numbers((units[high] - self._end) / (1 - self._end))
        return numbers


def axis_of(domain: AnyDomain) -> Axis:
    """The axis on which a domain's values lie."""
    match domain:
        case Constant(value=value):
            return ListAxis((value,), is_ordered=False)
        case Categorical(values=values):
            return ListAxis(values, is_ordered=False)
        case Ordinal(values=values):
            return ListAxis(values, is_ordered=True)
        case Integer() | Float():
            base = _integers(domain) if isinstance(domain, Integer) else _reals(domain)
            extra = domain.beside
            if not extra:
                return base
            above = tuple(value for value in extra if value > domain.max)
            return ExtendedAxis(base, tuple(value for value in extra if value <= domain.max), above)


def _integers(domain: Integer) -> Axis:
    if domain.power_of_two:
        exponents = range(domain.min.bit_length() - 1, domain.max.bit_length())
        return ListAxis(tuple(2**exponent for exponent in exponents), is_ordered=True)
    return _steps(domain, domain.min, domain.max, domain.step or 1)


def _reals(domain: Float) -> Axis:
    if domain.step is not None:
        return _steps(domain, float(domain.min), float(domain.max), float(domain.step))
    if density := domain.density:
        return DensityAxis(domain.min, domain.max, density, domain.log)
    return FloatAxis(domain.min, domain.max, domain.log)


def _steps(domain: Integer | Float, low: float, high: float, step: float) -> Axis:
    if density := domain.density:
        return ScaledStepsAxis(low, high, step, normal_scale(density, domain.log))
    return ScaledStepsAxis(low, high, step, LOGARITHMIC) if domain.log else SteppedAxis(low, high, step)


def count_steps(low: float, high: float, step: float) -> int:
    """How many values low, low + step, ... there are up to high; exact for whole numbers of any size."""
    # Whole numbers by themselves: beyond 2**53 a division as doubles would lose or gain a value.
    if isinstance(low, int) and isinstance(high, int) and isinstance(step, int):
        return (high - low) // step + 1
    # 1e-9, since (0.3 - 0.1) / 0.1 is 1.9999999999999998 and would lose the last value.
    return math.floor((high - low) / step + 1e-9) + 1


def cell_of(unit: float, n_cells: int) -> int:
    """Which of n equal cells of [0, 1] a point lies in."""
    return min(max(math.floor(unit * n_cells), 0), n_cells - 1)


def decimals_of(width: float) -> int:
    """Decimal places that leave `DIGITS` digits over a width."""
    return DIGITS - math.ceil(math.log10(width))
