"""The domain of one parameter as the study file writes it, and which kind an entry means.

The kinds stand in `range_domains`, `listed_domains` and `arranged_domains`, and are imported from here; parameters
together are a `space`.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Tag, TypeAdapter

from pegbox.schemas.arranged_domains import Permutation, Subset
from pegbox.schemas.base import Scalar, Value
from pegbox.schemas.domain_text import refuse_range_in_text
from pegbox.schemas.listed_domains import Categorical, Constant, Domain, Ordinal
from pegbox.schemas.range_domains import Float, Integer, Normal

__all__ = [
    "AnyDomain",
    "Categorical",
    "Constant",
    "Domain",
    "DomainEntry",
    "Float",
    "Integer",
    "Normal",
    "Ordinal",
    "Permutation",
    "Subset",
    "read_domain",
]


def _expand(raw: Any) -> Any:
    """`[a, b]` stands for values, a bare scalar for a constant."""
    if isinstance(raw, list | tuple):
        if len(raw) == 1:
            refuse_range_in_text(raw[0])
        return {"values": raw}
    if isinstance(raw, Mapping | Domain):
        return raw
    refuse_range_in_text(raw)
    return {"value": raw}


def _kind(raw: Any) -> str:
    """The domain that a mapping means; numeric ranges are float unless marked `int: true`."""
    if isinstance(raw, Domain):
        return type(raw).__name__.lower()
    if not isinstance(raw, Mapping):
        return "float"
    for kind in ("permutation", "subset"):
        if kind in raw:
            return kind
    # Before `value` and the ranges: what names its values one by one can be nothing else, whatever it says beside.
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
    | Annotated[Permutation, Tag("permutation")]
    | Annotated[Subset, Tag("subset")]
    | Annotated[Constant, Tag("constant")],
    # By a function and not by trying each: a union that is tried in order tells seven errors for one slip.
    Discriminator(_kind),
]
"""A domain as the study file writes it."""

DomainEntry = Annotated[
    AnyDomain,
    BeforeValidator(
        _expand,
        json_schema_input_type=Float
        | Integer
        | Categorical
        | Ordinal
        | Permutation
        | Subset
        | Constant
        | list[Value]
        | Scalar,
    ),
]

_ENTRY: TypeAdapter[AnyDomain] = TypeAdapter(DomainEntry)


def read_domain(raw: Any) -> AnyDomain:
    """A domain from what the study file says of it.

    Raises:
        ValidationError: It is none.
    """
    return _ENTRY.validate_python(raw)
