"""The space as axes of the page, and configurations as positions on them; reads no history."""

from collections.abc import Mapping, Sequence
from typing import Any

from pegbox.page.trial_document import Number
from pegbox.page.trials_document import Parameter
from pegbox.report.number_format import parameter as written
from pegbox.schemas.domains import AnyDomain, Categorical, Constant, Float, Integer, Ordinal
from pegbox.schemas.space import Space


def axes(space: Space) -> tuple[Parameter, ...]:
    """One axis for each parameter that can vary, parents before children."""
    return tuple(
        _axis(name, space.parameters[name]) for name in space.order if not isinstance(space.parameters[name], Constant)
    )


def _axis(name: str, domain: AnyDomain) -> Parameter:
    condition = " and ".join(f"{parent} is {_one_of(wanted)}" for parent, wanted in domain.when.items())
    match domain:
        case Float() | Integer():
            is_power = isinstance(domain, Integer) and domain.power_of_two
            # Those within the range have their place on it already.
            extra = tuple(float(value) for value in domain.extra if not domain.min <= value <= domain.max)
            return Parameter(
                name=name,
                kind="number",
                log=domain.log or is_power,
                whole=isinstance(domain, Integer),
                low=float(domain.min),
                high=float(domain.max),
                extra=tuple(sorted(extra)),
                condition=condition,
            )
        case Categorical(values=values) | Ordinal(values=values):
            return Parameter(name=name, kind="category", values=tuple(map(written, values)), condition=condition)
        case Constant(value=value):
            return Parameter(name=name, kind="category", values=(written(value),), condition=condition)


def _one_of(wanted: Any) -> str:
    return " or ".join(map(written, wanted)) if isinstance(wanted, tuple) else written(wanted)


def positions(space: Space, configurations: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Number, ...]]:
    """Each varying parameter's column: a number, or the position among its values; None where inactive or unknown."""
    columns: dict[str, tuple[Number, ...]] = {}
    for axis in axes(space):
        domain = space.parameters[axis.name]
        if isinstance(domain, Categorical | Ordinal):
            # Positions and not texts: they are smaller in the document, and two values may read alike when rounded.
            known = {value_key(value): float(position) for position, value in enumerate(domain.values)}
            columns[axis.name] = tuple(
                known.get(value_key(one[axis.name])) if axis.name in one else None for one in configurations
            )
        else:
            columns[axis.name] = tuple(_number(one.get(axis.name)) for one in configurations)
    return columns


def _number(value: Any) -> Number:
    # An imported trial may hold anything; True would else stand at 1 of the axis.
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def value_key(value: Any) -> Any:
    """Equal for equal values, whether they came from Python or from JSON; keeps True apart from 1."""
    if isinstance(value, list | tuple):
        return tuple(map(value_key, value))
    return (isinstance(value, bool), value)
