"""The base of every schema and the few types that all of them share; no noun of its own."""

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from pegbox.schemas.text import storable

Scalar = bool | int | FiniteFloat | str | None
"""One value of a parameter as YAML and JSON know it."""

Value = Scalar | tuple[Scalar, ...]
"""What a parameter may be set to: a scalar, or a tuple such as one width per layer."""

Configuration = Mapping[str, Value]
"""Parameter name to value; holds the active parameters only."""

Metrics = dict[str, FiniteFloat]
"""Metric name to finite value; what came instead of one stands in `Unusable`."""

Unusable = dict[str, str]
"""Metric name to what came where a finite number was expected: `nan`, `inf`, `-inf`, or a text that is no number."""

# Picked by hand: enough to recognise what a program printed, little enough to be kept with each report.
MAX_VALUE = 200
"""Characters that are kept of what came instead of a number."""

NOT_FINITE = ("nan", "inf", "-inf")
"""How `Unusable` writes what is a number and not finite."""

ImportPath = Annotated[
    str,
    Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$", examples=["my_project.train:run"]),
]
"""`package.module:name`, found from the working directory or the installed packages."""


def parted(numbers: Mapping[str, float | str]) -> tuple[Metrics, Unusable]:
    """What was measured, as the finite numbers and the rest; the one place that tells them apart.

    >>> parted({"loss": 0.5, "auc": float("nan"), "size": "1,205"})
    ({'loss': 0.5}, {'auc': 'nan', 'size': '1,205'})
    """
    # A value that is not finite never stays a number: JSON has no word for it, and NaN compares false with all, so
    # that a list sorted by it is in no order.
    finite = {name: value for name, value in numbers.items() if not isinstance(value, str) and math.isfinite(value)}
    return finite, {name: storable(str(value)[:MAX_VALUE]) for name, value in numbers.items() if name not in finite}


class EntryError(ValueError):
    """A value error of a whole section that knows which of its entries is at fault.

    `at` leads from the section to the entry, such as `("momentum", "when", "optimizer")`.
    """

    def __init__(self, message: str, *at: str | int) -> None:
        self.at = at
        super().__init__(message)


class Schema(BaseModel):
    """A frozen model that refuses unknown fields."""

    # Frozen, because a history is shared by threads and cached views; forbid, because a misspelt key that is ignored
    # is a study that runs as nobody meant it.
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Declared(Schema):
    """A section of the study file: a yes or no where a number is meant is a mistake, not 1 or 0."""

    @model_validator(mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, raw: Any) -> Any:
        for name, value in raw.items() if isinstance(raw, Mapping) else ():
            if (
                # bool is a subclass of int in Python: pydantic takes `true` for 1 without a word.
                isinstance(value, bool)
                and name in cls.model_fields
                and _is_of_numbers(cls.model_fields[name].annotation)
            ):
                raise EntryError(f"{name} must be a number, got {'true' if value else 'false'}.", name)
        return raw


def _is_of_numbers(annotation: Any) -> bool:
    """True if a type takes a number and no truth value."""
    kinds = set(_leaves(annotation))
    return not kinds.isdisjoint({int, float}) and kinds.isdisjoint({bool, Any})


def _leaves(annotation: Any) -> Iterator[Any]:
    """The plain types that an annotation is made of."""
    arguments = get_args(annotation)
    if not arguments:
        yield annotation
    for argument in arguments[:1] if get_origin(annotation) is Annotated else arguments:
        yield from _leaves(argument)
