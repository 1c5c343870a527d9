"""The search space: parameters, their domains, and when they are active; encoding to numbers lives in `search`."""

import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    FiniteFloat,
    Tag,
    TypeAdapter,
    model_serializer,
    model_validator,
)

from pegbox.schemas.base import Configuration, Declared, EntryError, Scalar, Schema, Value
from pegbox.schemas.errors import suggest
from pegbox.schemas.presets import PRESETS
from pegbox.schemas.values import identity

RESERVED_NAMES = ("forbid", "preset")
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
    """Search on a logarithmic scale."""
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
    """Search on a logarithmic scale."""
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


class Categorical(Domain):
    """One of several values without an order."""

    values: tuple[Value, ...] = Field(min_length=1, examples=[["adamw", "sgd"]])
    """Each value once; a list is one value, such as one width per layer."""
    ordered: Literal[False] = False
    """Marks values that have an order."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        _refuse_repeats(self.values)
        return self

    def contains(self, value: Value) -> bool:
        """True for one of the values."""
        return any(_same(value, known) for known in self.values)


class Ordinal(Domain):
    """One of several values in a meaningful order, lowest first."""

    values: tuple[Value, ...] = Field(min_length=1, examples=[["small", "medium", "large"]])
    """Each value once, lowest first."""
    ordered: Literal[True] = True
    """Marks values that have an order."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        _refuse_repeats(self.values)
        return self

    def contains(self, value: Value) -> bool:
        """True for one of the values."""
        return any(_same(value, known) for known in self.values)


class Constant(Domain):
    """A parameter that is handed to training and not searched."""

    value: Value
    """Handed to training in every trial."""

    def contains(self, value: Value) -> bool:
        """True for the value."""
        return _same(value, self.value)


def _whole_number(value: Value) -> int | None:
    """The value as a whole number, or None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        return None
    return int(value)


def _is_power_of_two(number: int) -> bool:
    return number >= 1 and number & (number - 1) == 0


def _same(left: Value, right: Value) -> bool:
    """Equality that keeps True apart from 1, but lets 1 and 1.0 be one number."""
    return identity(left) == identity(right)


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

Bound = Value | Annotated[Mapping[Literal["min", "max"], FiniteFloat], Field(min_length=1)]
"""In a forbidden combination: a value, a list of values, or a range."""


class DrawnPreset(Schema):
    """A preset that was drawn into a space; pegbox writes it when the study begins, and it stays."""

    kind: str
    """Of model."""
    narrowed_by: tuple[str, ...] = ()
    """Earlier studies of the same kind whose best trials narrowed the published ranges."""


def _is_gathered(raw: Mapping[str, Any]) -> bool:
    """True for a space as it is made in Python; in a file `parameters` would be one more name."""
    inner = raw.get("parameters")
    if not isinstance(inner, Mapping) or not raw.keys() <= {"parameters", *RESERVED_NAMES}:
        return False
    return not any(name in inner and not isinstance(inner[name], Mapping | Domain) for name in ("min", "max", "values"))


_DOMAIN: TypeAdapter[AnyDomain] = TypeAdapter(DomainEntry)


class Space(Schema):
    """The search space.

    In the study file the parameters stand directly under `space:`, beside the reserved words `forbid` and `preset`.
    Iterating gives the parameter names in an order in which every parent comes before its children.
    """

    parameters: Mapping[str, DomainEntry] = Field(default={})
    """Parameter name to domain."""
    forbid: tuple[Annotated[Mapping[str, Bound], Field(min_length=1)], ...] = Field(
        default=(), examples=[[{"optimizer": "sgd", "lr": {"min": 0.05}}]]
    )
    """Combinations that are never proposed; each holds where all its entries hold."""
    preset: str | DrawnPreset | None = Field(default=None, examples=["mlp"])
    """Published ranges for a kind of model, as many as the budget pays for, narrowed by three earlier studies of the
    same kind; parameters written beside it replace those of the preset. `pegbox validate` lists what is drawn."""

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping) or _is_gathered(raw):
            return raw
        reserved = {name: raw[name] for name in RESERVED_NAMES if name in raw}
        return {"parameters": {name: raw[name] for name in raw if name not in RESERVED_NAMES}, **reserved}

    @model_serializer(mode="wrap")
    def _spread(self, handler: Any) -> dict[str, Any]:
        raw = handler(self)
        spread: dict[str, Any] = dict(raw.pop("parameters", {}))
        return spread | {name: value for name, value in raw.items() if value}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.parameters and not isinstance(self.preset, str):
            raise ValueError(
                "the space is empty. Give at least one parameter, such as `lr: {min: 1e-5, max: 1e-1, log: true}`."
            )
        self._check_names()
        for name, domain in self.parameters.items():
            for parent, wanted in domain.when.items():
                self._check_condition(name, parent, wanted)
        for number, combination in enumerate(self.forbid):
            for name in combination:
                if name not in self._known:
                    raise EntryError(
                        f"forbid names the unknown parameter {name!r}. {suggest(name, self._known)}",
                        "forbid",
                        number,
                        name,
                    )
        _ = self.order  # raises on a cycle
        return self

    def _check_names(self) -> None:
        if isinstance(self.preset, str) and self.preset not in PRESETS:
            raise EntryError(f"unknown preset {self.preset!r}. {suggest(self.preset, PRESETS)}", "preset")
        for name in self.parameters:
            if not name.strip():
                raise EntryError("a parameter needs a name. Training is handed its value under it.", name)
            if name == "parameters":
                raise EntryError(
                    "`parameters` cannot be the name of a parameter: it is where a space keeps them. Rename it.", name
                )

    @cached_property
    def published(self) -> dict[str, AnyDomain]:
        """The published domains of a preset that has not been drawn, the most worthwhile first; else empty."""
        raw = PRESETS[self.preset] if isinstance(self.preset, str) else {}
        return {name: _DOMAIN.validate_python(domain) for name, domain in raw.items()}

    @property
    def _known(self) -> dict[str, AnyDomain]:
        """What conditions may name: the parameters, and what a preset may still draw."""
        return {**self.published, **self.parameters}

    def _check_condition(self, name: str, parent: str, wanted: Value | tuple[Scalar, ...]) -> None:
        if parent not in self._known:
            raise EntryError(
                f"{name} is conditional on the unknown parameter {parent!r}. {suggest(parent, self._known)}",
                name,
                "when",
                parent,
            )
        for value in wanted if isinstance(wanted, tuple) else (wanted,):
            if not self._known[parent].contains(value):
                raise EntryError(
                    f"{name} is conditional on {parent}={value!r}, a value that {parent} cannot take.",
                    name,
                    "when",
                    parent,
                )

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Parameter names, parents before children.

        Raises:
            ValueError: The conditions form a cycle.
        """
        placed: dict[str, None] = dict.fromkeys(name for name in self.published if name not in self.parameters)
        to_draw = set(placed)
        waiting = list(self.parameters)
        while waiting:
            ready = [name for name in waiting if all(parent in placed for parent in self.parameters[name].when)]
            if not ready:
                message = f"the conditions of {', '.join(sorted(waiting))} form a cycle. Remove one `when`."
                raise EntryError(message, waiting[0], "when")
            placed.update(dict.fromkeys(ready))
            waiting = [name for name in waiting if name not in placed]
        return tuple(name for name in placed if name not in to_draw)

    def names(self) -> Iterator[str]:
        """Parameter names, parents before children."""
        return iter(self.order)

    def is_active(self, name: str, configuration: Configuration) -> bool:
        """True if the conditions of a parameter hold; a child of an inactive parent is inactive."""
        return all(
            parent in configuration and _matches(configuration[parent], wanted)
            for parent, wanted in self.parameters[name].when.items()
        )

    def is_forbidden(self, configuration: Configuration) -> bool:
        """True if a forbidden combination holds in all its entries."""
        return any(
            all(name in configuration and _within(configuration[name], bound) for name, bound in entries.items())
            for entries in self.forbid
        )

    def contains(self, configuration: Configuration) -> bool:
        """True if exactly the active parameters are set, each within its domain, and nothing is forbidden."""
        active = {name for name in self.order if self.is_active(name, configuration)}
        return (
            active == set(configuration)
            and all(self.parameters[name].contains(value) for name, value in configuration.items())
            and not self.is_forbidden(configuration)
        )


def _matches(value: Value, wanted: Value | tuple[Scalar, ...]) -> bool:
    return any(_same(value, one) for one in wanted) if isinstance(wanted, tuple) else _same(value, wanted)


def _within(value: Value, bound: Bound) -> bool:
    if isinstance(bound, Mapping):
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return bound.get("min", -math.inf) <= value <= bound.get("max", math.inf)
    return _matches(value, bound)
