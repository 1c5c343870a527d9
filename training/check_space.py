"""Is each parameter of a space known to the hyperparameters of a kind, and does it take all values of its domain?"""

from collections.abc import Collection, Iterable
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from pegbox.schemas.base import Schema, Value
from pegbox.schemas.domains import AnyDomain, Categorical, Constant, Float, Integer, Ordinal
from pegbox.schemas.errors import Problem, suggest
from pegbox.schemas.space import Space
from pegbox.schemas.spec_changes import as_written


def check_domains(
    space: Space, names: Collection[str], hyperparameters: type[Schema], kind: str
) -> tuple[Problem, ...]:
    """Problems of some parameters of a space that is to tune these hyperparameters, each by itself."""
    parameters = space.parameters.items()
    return tuple(
        problem
        for name, domain in parameters
        if name in names
        for problem in _check_parameter(name, domain, hyperparameters, kind)
    )


def check_space(space: Space, hyperparameters: type[Schema], kind: str) -> tuple[Problem, ...]:
    """Problems of a space that is to tune these hyperparameters; none if every configuration of it can be built."""
    return (
        *check_domains(space, space.parameters, hyperparameters, kind),
        *_check_batch_norm(space, hyperparameters, kind),
    )


def _check_batch_norm(space: Space, hyperparameters: type[Schema], kind: str) -> Iterable[Problem]:
    """Batches of one row where a batch norm wants the spread of several; that of images has their pixels."""
    lone: dict[str, Value] = {"batch_size": 1, "norm": "batch"}
    if kind not in {"mlp", "resnet"} or space.is_forbidden(lone):
        return
    if not all(_may_be(space, hyperparameters, name, value) for name, value in lone.items()):
        return
    if "batch_size" in space.parameters and not space.is_active("batch_size", lone):
        return
    yield Problem(
        "a batch of one row has no spread for the batch norm to divide by, and batch_size may be 1 where norm is "
        "batch. Begin batch_size at 2, write `norm: layer`, or forbid them together: "
        "`forbid: [{batch_size: 1, norm: batch}]`.",
        ("space", "batch_size") if "batch_size" in space.parameters else ("space", "norm"),
    )


def _may_be(space: Space, hyperparameters: type[Schema], name: str, value: Any) -> bool:
    """True if a hyperparameter can take a value: from its domain, or by its default."""
    if name in space.parameters:
        return space.parameters[name].contains(value)
    return bool(hyperparameters.model_fields[name].default == value)


def _check_parameter(name: str, domain: AnyDomain, hyperparameters: type[Schema], kind: str) -> Iterable[Problem]:
    if name not in hyperparameters.model_fields:
        known = suggest(name, hyperparameters.model_fields)
        yield Problem(f"{kind} has no hyperparameter {name!r}. {known}", ("space", name))
        return
    adapter = value_type(hyperparameters, name)
    for value, path in _extremes(name, domain):
        reason = _refusal(adapter, value)
        if reason:
            yield Problem(f"{kind} cannot take {name}={as_written(value)}: {reason}. Change the domain.", path)
            return
    if isinstance(domain, Float) and domain.step is None:
        between = domain.min + 0.381 * (domain.max - domain.min)
        if _refusal(adapter, between):
            yield Problem(
                f"{kind} takes whole numbers for {name}, and the range holds others. Add `int: true`.", ("space", name)
            )


def value_type(hyperparameters: type[Schema], name: str) -> TypeAdapter[Any]:
    """What one hyperparameter may be, apart from all others."""
    field = hyperparameters.model_fields[name]
    adapter: TypeAdapter[Any] = TypeAdapter(Annotated[field.annotation, field])  # type: ignore[arg-type]
    return adapter


def _extremes(name: str, domain: AnyDomain) -> Iterable[tuple[Any, tuple[str | int, ...]]]:
    """Values that show whether a whole domain fits, and where each stands in the study file."""
    place = ("space", name)
    match domain:
        case Float() | Integer():
            yield domain.min, (*place, "min")
            yield domain.max, (*place, "max")
            yield from ((value, (*place, "extra", position)) for position, value in enumerate(domain.extra))
            if isinstance(domain, Float) and domain.step is not None:
                yield domain.min + domain.step, (*place, "step")
        case Categorical() | Ordinal():
            yield from ((value, place) for value in domain.values)
        case Constant():
            yield domain.value, place


def _refusal(adapter: TypeAdapter[Any], value: Any) -> str:
    """Why a value is refused; empty if it is taken."""
    try:
        adapter.validate_python(value)
    except ValidationError as error:
        return error.errors()[0]["msg"].lower()
    return ""
