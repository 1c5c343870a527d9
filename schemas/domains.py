"""The domain of one parameter, and how the study file writes it; parameters together are a `space`."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, FiniteFloat, Tag, TypeAdapter, model_validator

from pegbox.schemas.base import Declared, Scalar, Schema, Value
from pegbox.schemas.values import identity, same

Whole = int  # the name `int` is a field of Integer


class Prior(Schema):
    """A guess where the best value lies; a wrong guess costs trials, never the result."""

    value: Value
    """The guess."""
    confidence: Literal["low", "medium", "high"] = "medium"
    """How much the guess is worth against what trials show."""


class Domain(Declared):
    """What all domains share: a condition and a prior."""

    when: Mapping[str, Value | tuple[Scalar, ...]] = Field(default={}, examples=[{"optimizer": "sgd"}])
    """Active only where each named parameter has this value, or one of these values."""
    prior: Prior | None = None
    """A guess where the best value lies."""

    def contains(self, value: Value) -> bool:
        """True if the value belongs to the domain; conditions are not looked at."""
        raise NotImplementedError


class _Range(Domain):
    """A numeric interval, both ends included."""

    def _check_bounds(self, low: float, high: float, log: bool) -> None:
        if low >= high:
            raise ValueError(f"min must be below max, got min={low!r}, max={high!r}. Swap them, or use `value`.")
        if log and low <= 0:
            raise ValueError(
                f"a log scale needs min above 0, got min={low!r}. Raise min, drop log, or add the value to `extra`."
            )


class Float(_Range):
    """A real number between `min` and `max`."""

    min: FiniteFloat = Field(examples=[1e-5])
    """The lowest value, included."""
    max: FiniteFloat = Field(examples=[1e-1])
    """The highest value, included."""
    log: bool = False
    """Search on a logarithmic scale. `bayes`, `freeze_thaw` and `genetic` do so anyway where max is 1000 times min."""
    step: FiniteFloat | None = Field(default=None, gt=0)
    """Only min, min + step, min + 2 step, ...; not together with log."""
    extra: tuple[FiniteFloat, ...] = ()
    """Values beside the range, such as 0 beside a log range."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        self._check_bounds(self.min, self.max, self.log)
        if self.step is not None and self.log:
            raise ValueError("step and log exclude each other. Drop one of them.")
        if self.step is not None and self.step > self.max - self.min:
            raise ValueError(f"step must fit into the range, got step={self.step!r} in [{self.min!r}, {self.max!r}].")
        return self

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
        return math.isclose(steps, round(steps), abs_tol=1e-9)


class Integer(_Range):
    """A whole number between `min` and `max`."""

    min: Whole = Field(examples=[32])
    """The lowest value, included."""
    max: Whole = Field(examples=[1024])
    """The highest value, included."""
    int: Literal[True] = True
    """Marks the range as one of whole numbers."""
    log: bool = False
    """Search on a logarithmic scale. `bayes`, `freeze_thaw` and `genetic` do so anyway where max is 1000 times min."""
    step: Annotated[Whole, Field(ge=1)] | None = None
    """Only min, min + step, min + 2 step, ...; not together with log."""
    power_of_two: bool = False
    """Only powers of two; min and max must be powers of two themselves."""
    extra: tuple[Whole, ...] = ()
    """Values beside the range, such as 0 beside a log range."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        self._check_bounds(self.min, self.max, self.log)
        if self.step is not None and (self.log or self.power_of_two):
            raise ValueError("step excludes log and power_of_two. Drop one of them.")
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


class _Listed(Domain):
    """Values that are named one by one."""

    values: tuple[Value, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        _refuse_repeats(self.values)
        return self

    def contains(self, value: Value) -> bool:
        """True for one of the values."""
        return any(same(value, known) for known in self.values)


class Categorical(_Listed):
    """One of several values without an order."""

    values: tuple[Value, ...] = Field(min_length=1, examples=[["adamw", "sgd"]])
    """Each value once; a list is one value, such as one width per layer."""
    ordered: Literal[False] = False
    """Marks values that have an order."""


class Ordinal(_Listed):
    """One of several values in a meaningful order, lowest first."""

    values: tuple[Value, ...] = Field(min_length=1, examples=[["small", "medium", "large"]])
    """Each value once, lowest first."""
    ordered: Literal[True] = True
    """Marks values that have an order."""


class Constant(Domain):
    """A parameter that is handed to training and not searched."""

    value: Value
    """Handed to training in every trial."""

    def contains(self, value: Value) -> bool:
        """True for the value."""
        return same(value, self.value)


def _whole_number(value: Value) -> int | None:
    """The value as a whole number, or None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        return None
    return int(value)


def _is_power_of_two(number: int) -> bool:
    return number >= 1 and number & (number - 1) == 0


def _refuse_repeats(values: tuple[Value, ...]) -> None:
    seen: set[tuple[bool, Value]] = set()
    for value in values:
        if identity(value) in seen:
            raise ValueError(f"each value must appear once, got {value!r} twice. Remove one.")
        seen.add(identity(value))


def _expand(raw: Any) -> Any:
    """`[a, b]` stands for values, a bare scalar for a constant."""
    if isinstance(raw, list | tuple):
        return {"values": raw}
    if isinstance(raw, Mapping | Domain):
        return raw
    return {"value": raw}


def _kind(raw: Any) -> str:
    """The domain that a mapping means; numeric ranges are float unless marked `int: true`."""
    if isinstance(raw, Domain):
        return type(raw).__name__.lower()
    if not isinstance(raw, Mapping):
        return "float"
    if "values" in raw:
        return "ordinal" if raw.get("ordered") else "categorical"
    if "value" in raw:
        return "constant"
    return "integer" if raw.get("int") or raw.get("power_of_two") else "float"


AnyDomain = Annotated[
    Annotated[Float, Tag("float")]
    | Annotated[Integer, Tag("integer")]
    | Annotated[Categorical, Tag("categorical")]
    | Annotated[Ordinal, Tag("ordinal")]
    | Annotated[Constant, Tag("constant")],
    Discriminator(_kind),
]
"""A domain as the study file writes it."""

DomainEntry = Annotated[
    AnyDomain,
    BeforeValidator(
        _expand,
        json_schema_input_type=Float | Integer | Categorical | Ordinal | Constant | list[Value] | Scalar,
    ),
]

_ENTRY: TypeAdapter[AnyDomain] = TypeAdapter(DomainEntry)


def read_domain(raw: Any) -> AnyDomain:
    """A domain from what the study file says of it.

    Raises:
        ValidationError: It is none.
    """
    return _ENTRY.validate_python(raw)
