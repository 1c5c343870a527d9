"""Domains of arrangements: the orders (permutations) of some items, or their subsets, each as one value."""

import math
from collections.abc import Mapping
from itertools import combinations, permutations
from typing import Annotated, Any

from pydantic import ConfigDict, Field, model_serializer, model_validator

from pegbox.schemas.base import Scalar, Value
from pegbox.schemas.listed_domains import Categorical, refuse_repeats

MOST_ARRANGEMENTS = 1024
"""Orders or subsets that one parameter may stand for: each is a value of its own, and no study tries more."""


def _is_written_by_its_items(schema: dict[str, Any]) -> None:
    """In the JSON Schema: the values follow from the items and are not written down."""
    for name in ("values", "ordered"):
        del schema["properties"][name]


class _Arranged(Categorical):
    """Values that are arrangements of the same items, listed for the search as what they are: one value each."""

    model_config = ConfigDict(json_schema_extra=_is_written_by_its_items)

    values: tuple[Value, ...] = Field(default=(), exclude=True)

    @model_serializer(mode="wrap")
    def _as_written(self, handler: Any) -> dict[str, Any]:
        return {name: value for name, value in handler(self).items() if name not in {"values", "ordered"}}


def _refuse_too_many(n_arrangements: int, what: str) -> None:
    if n_arrangements > MOST_ARRANGEMENTS:
        raise ValueError(
            f"at most {MOST_ARRANGEMENTS} {what} are searched as values of one parameter, got {n_arrangements}. "
            "Name fewer items, or write one parameter for each."
        )


class Permutation(_Arranged):
    """All items in some order; training is handed a list."""

    permutation: tuple[Scalar, ...] = Field(min_length=2, examples=[["crop", "flip", "jitter"]])
    """The items, each once."""

    @model_validator(mode="before")
    @classmethod
    def _list(cls, raw: Any) -> Any:
        items = raw.get("permutation") if isinstance(raw, Mapping) else None
        if not isinstance(items, list | tuple):
            return raw
        refuse_repeats(tuple(items))
        _refuse_too_many(math.factorial(len(items)), "orders")
        return {**raw, "values": tuple(permutations(items))}


class Subset(_Arranged):
    """Some of the items, in the order in which they are written; training is handed a list."""

    subset: tuple[Scalar, ...] = Field(min_length=1, examples=[["crop", "flip", "jitter"]])
    """The items, each once."""
    min: Annotated[int, Field(ge=0)] = 0
    """The fewest items that are taken."""
    max: Annotated[int, Field(ge=1)] | None = None
    """The most items that are taken; all of them where it is left out."""

    @model_validator(mode="before")
    @classmethod
    def _list(cls, raw: Any) -> Any:
        items = raw.get("subset") if isinstance(raw, Mapping) else None
        if not isinstance(items, list | tuple):
            return raw
        refuse_repeats(tuple(items))
        low, high = raw.get("min", 0), raw.get("max")
        high = len(items) if high is None else high
        if not isinstance(low, int) or not isinstance(high, int):
            return raw
        if not 0 <= low <= high <= len(items):
            raise ValueError(f"a subset takes from 0 to {len(items)} of its items, got min={low!r}, max={high!r}.")
        _refuse_too_many(sum(math.comb(len(items), size) for size in range(low, high + 1)), "subsets")
        return {**raw, "values": tuple(taken for size in range(low, high + 1) for taken in combinations(items, size))}
