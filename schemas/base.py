"""The base of every schema and the few types that all of them share; no noun of its own."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

Scalar = bool | int | FiniteFloat | str | None
"""One value of a parameter as YAML and JSON know it."""

Value = Scalar | tuple[Scalar, ...]
"""What a parameter may be set to: a scalar, or a tuple such as one width per layer."""

Configuration = Mapping[str, Value]
"""Parameter name to value; holds the active parameters only."""

Metrics = dict[str, FiniteFloat]
"""Metric name to finite value; a metric that is NaN or infinite is left out by who measures it."""

ImportPath = Annotated[
    str,
    Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$", examples=["my_project.train:run"]),
]
"""`package.module:name`, found from the working directory or the installed packages."""


class EntryError(ValueError):
    """A value error of a whole section that knows which of its entries is at fault.

    `at` leads from the section to the entry, such as `("momentum", "when", "optimizer")`.
    """

    def __init__(self, message: str, *at: str | int) -> None:
        self.at = at
        super().__init__(message)


class Schema(BaseModel):
    """A frozen model that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
