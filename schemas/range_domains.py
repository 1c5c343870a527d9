"""Numeric domains, ranges of real and of whole numbers: their scale, step, density and extra values."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, FiniteFloat, model_validator

from pegbox.schemas.base import Schema, Value
from pegbox.schemas.listed_domains import Domain

Whole = int  # the name `int` is a field of Integer


TAILS = 4.0
"""Where a normal distribution without bounds ends, in standard deviations: one draw in 16,000 would lie beyond. A model
of the search needs an end, and takes the ends for values worth a try."""
LEAST_SHARE = 1e-6
"""Of a normal distribution that bounds must leave; beyond, its quantiles cannot be told apart in doubles."""
FEWEST_NUMBERS = 2**16
"""Doubles that a real range must hold, so that no search runs out of them: far more than a study has trials."""


class Normal(Schema):
    """A normal distribution: values near the mean are searched first and most."""

    mean: FiniteFloat
    """Where it is centred; of a lognormal one, the mean of the natural logarithm."""
    std: FiniteFloat = Field(gt=0)
    """Its standard deviation; of a lognormal one, that of the natural logarithm."""

    def share_below(self, number: float) -> float:
        """Probability of a value below a number."""
        # Phi(z) = (1 + erf(z / sqrt 2)) / 2; math.erf keeps a check of the file free of scipy, which takes a second to
        # import.
        return (1 + math.erf((number - self.mean) / (self.std * math.sqrt(2)))) / 2


def _bounds_are_optional_beside_a_density(schema: dict[str, Any]) -> None:
    """In the JSON Schema: `min` and `max`, or a distribution that has an end of its own."""
    schema["required"] = [name for name in schema.get("required", ()) if name not in {"min", "max"}]
    schema["anyOf"] = [{"required": ["min", "max"]}, {"required": ["normal"]}, {"required": ["lognormal"]}]


class _Range(Domain):
    """A numeric interval, both ends included; uniform on its scale unless a normal distribution says otherwise."""

    model_config = ConfigDict(json_schema_extra=_bounds_are_optional_beside_a_density)

    normal: Normal | None = Field(default=None, examples=[{"mean": 0.0, "std": 1.0}])
    """Normally distributed, between min and max where they are given and within 4 standard deviations elsewhere."""
    lognormal: Normal | None = Field(default=None, examples=[{"mean": -7.0, "std": 1.0}])
    """The natural logarithm is normally distributed; implies log."""

    @model_validator(mode="before")
    @classmethod
    def _end_a_density(cls, raw: Any) -> Any:
        """Bounds for a distribution that comes without them."""
        kind = next((name for name in ("normal", "lognormal") if isinstance(raw, Mapping) and raw.get(name)), None)
        if kind is None:
            return raw
        if raw.get("normal") and raw.get("lognormal"):
            raise ValueError("normal and lognormal exclude each other. Drop one of them.")
        if raw.get("log", kind == "lognormal") is not (kind == "lognormal"):
            raise ValueError("lognormal is on a log scale and normal is not. Drop `log`.")
        density = Normal.model_validate(raw[kind])
        ends = {"min": density.mean - TAILS * density.std, "max": density.mean + TAILS * density.std}
        if kind == "lognormal":
            ends = {name: _exp(end) for name, end in ends.items()}
        if raw.get("int"):
            ends = {"min": math.floor(ends["min"]), "max": math.ceil(ends["max"])}
        return {**ends, **({"log": True} if kind == "lognormal" else {}), **raw}

    @property
    def density(self) -> Normal | None:
        """How its values are distributed, of their logarithm where `log` holds; None where evenly on its scale."""
        return self.normal or self.lognormal

    def _check_range(self, low: float, high: float, log: bool) -> None:
        if low >= high:
            raise ValueError(f"min must be below max, got min={low!r}, max={high!r}. Swap them, or use `value`.")
        if log and low <= 0:
            raise ValueError(
                f"a log scale needs min above 0, got min={low!r}. Raise min, drop log, or add the value to `extra`."
            )
        if density := self.density:
            ends = (math.log(low), math.log(high)) if log else (low, high)
            if density.share_below(ends[1]) - density.share_below(ends[0]) < LEAST_SHARE:
                raise ValueError(
                    f"min={low!r} and max={high!r} leave almost nothing of a normal distribution with mean="
                    f"{density.mean!r} and std={density.std!r}. Move them towards the mean, or drop the distribution."
                )


class Float(_Range):
    """A real number between `min` and `max`."""

    min: FiniteFloat = Field(examples=[1e-5])
    """The lowest value, included; may be left out beside `normal` and `lognormal`."""
    max: FiniteFloat = Field(examples=[1e-1])
    """The highest value, included; may be left out beside `normal` and `lognormal`."""
    log: bool = False
    """Search on a logarithmic scale. `bayes`, `freeze_thaw` and `genetic` do so anyway where max is 1000 times min."""
    step: FiniteFloat | None = Field(default=None, gt=0)
    """Only min, min + step, min + 2 step, ...; with log, low ones are searched more densely."""
    extra: tuple[FiniteFloat, ...] = ()
    """Values beside the range, such as 0 beside a log range."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        self._check_range(self.min, self.max, self.log)
        self._check_numbers()
        if self.step is not None and self.step > self.max - self.min:
            raise ValueError(f"step must fit into the range, got step={self.step!r} in [{self.min!r}, {self.max!r}].")
        return self

    def _check_numbers(self) -> None:
        """A range that doubles can neither span nor fill would be searched wrongly, or for ever."""
        if not math.isfinite(self.max - self.min):
            raise ValueError(
                f"max - min must be a number that a double holds, got min={self.min!r}, max={self.max!r}. "
                "Narrow the range."
            )
        # By the spacing at the larger end, where doubles are coarsest: a bound from below on how many there are.
        n_numbers = (self.max - self.min) / math.ulp(max(abs(self.min), abs(self.max)))
        if self.step is None and n_numbers < FEWEST_NUMBERS:
            raise ValueError(
                f"between min={self.min!r} and max={self.max!r} lie only {n_numbers:.0f} numbers that a double can "
                "tell apart. Widen the range, shift it towards 0, or add `int: true` where whole numbers are meant."
            )

    def contains(self, value: Value) -> bool:
        """True for a number in the range and on its step, or an extra value."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return value in self.extra or self._in_range(value)

    @property
    def beside(self) -> tuple[float, ...]:
        """The extra values that the range does not hold, each once, lowest first."""
        return tuple(sorted({value for value in self.extra if not self._in_range(value)}))

    def _in_range(self, value: float) -> bool:
        if not self.min <= value <= self.max:
            return False
        if self.step is None:
            return True
        steps = (value - self.min) / self.step
        # 0.1 + 0.2 is not 0.3: values are computed as min + k * step and read back from JSON, so that they miss the
        # grid by some units in the last place.
        return math.isclose(steps, round(steps), abs_tol=1e-9)


class Integer(_Range):
    """A whole number between `min` and `max`."""

    min: Whole = Field(examples=[32])
    """The lowest value, included; may be left out beside `normal` and `lognormal`."""
    max: Whole = Field(examples=[1024])
    """The highest value, included; may be left out beside `normal` and `lognormal`."""
    int: Literal[True] = True
    """Marks the range as one of whole numbers."""
    log: bool = False
    """Search on a logarithmic scale. `bayes`, `freeze_thaw` and `genetic` do so anyway where max is 1000 times min."""
    step: Annotated[Whole, Field(ge=1)] | None = None
    """Only min, min + step, min + 2 step, ...; with log, low ones are searched more densely."""
    power_of_two: bool = False
    """Only powers of two; min and max must be powers of two themselves."""
    extra: tuple[Whole, ...] = ()
    """Values beside the range, such as 0 beside a log range."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        self._check_range(self.min, self.max, self.log)
        if self.power_of_two and (self.step is not None or self.normal or self.lognormal):
            raise ValueError("power_of_two excludes step, normal and lognormal. Drop one of them.")
        if self.power_of_two and not (_is_power_of_two(self.min) and _is_power_of_two(self.max)):
            raise ValueError(f"min and max must be powers of two, got min={self.min!r}, max={self.max!r}.")
        return self

    def contains(self, value: Value) -> bool:
        """True for a whole number in the range and on its step, or an extra value."""
        number = _whole_number(value)
        if number is None:
            return False
        return number in self.extra or self._in_range(number)

    @property
    def beside(self) -> tuple[Whole, ...]:
        """The extra values that the range does not hold, each once, lowest first."""
        return tuple(sorted({value for value in self.extra if not self._in_range(value)}))

    def _in_range(self, number: Whole) -> bool:
        if not self.min <= number <= self.max:
            return False
        if self.power_of_two:
            return _is_power_of_two(number)
        return self.step is None or (number - self.min) % self.step == 0


def _exp(exponent: float) -> float:
    try:
        return math.exp(exponent)
    except OverflowError:
        raise ValueError(
            f"the logarithm of a lognormal parameter reaches {exponent:g}, more than a double holds. Give min and max."
        ) from None


def _whole_number(value: Value) -> int | None:
    """The value as a whole number, or None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        return None
    return int(value)


def _is_power_of_two(number: int) -> bool:
    return number >= 1 and number & (number - 1) == 0
