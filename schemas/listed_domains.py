"""Domains whose values are named one by one: categorical, ordinal, constant; and what all domains share."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from pegbox.schemas.base import Declared, Scalar, Schema, Value
from pegbox.schemas.values import identity, same


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


class Listed(Domain):
    """Values that are named one by one."""

    values: tuple[Value, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        refuse_repeats(self.values)
        return self

    def contains(self, value: Value) -> bool:
        """True for one of the values."""
        return any(same(value, known) for known in self.values)


class Categorical(Listed):
    """One of several values without an order."""

    values: tuple[Value, ...] = Field(min_length=1, examples=[["adamw", "sgd"]])
    """Each value once; a list is one value, such as one width per layer."""
    ordered: Literal[False] = False
    """Marks values that have an order."""


class Ordinal(Listed):
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


def refuse_repeats(values: tuple[Value, ...]) -> None:
    """Refuse a list that holds a value twice.

    Raises:
        ValueError: It does.
    """
    seen: set[tuple[bool, Value]] = set()
    for value in values:
        if identity(value) in seen:
            raise ValueError(f"each value must appear once, got {value!r} twice. Remove one.")
        seen.add(identity(value))
