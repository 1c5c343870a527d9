"""The arguments of each search method as schemas; what they do lives with the method."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError

from pegbox.schemas.base import Schema
from pegbox.schemas.errors import Problem, suggest


class NoOptions(Schema):
    """The method has no arguments."""


class GridOptions(Schema):
    """Arguments of `grid`."""

    points: int | dict[str, int] | None = Field(default=None, examples=[5, {"lr": 9}])
    """Evenly spaced values for each continuous parameter, or for some of them; refined without end where left out."""


class FreezeThawOptions(Schema):
    """Arguments of `freeze_thaw`."""

    initial: int | None = Field(default=None, ge=1)
    """Points of a Sobol sequence before the first model; one more than half of the parameters where it is left out."""


class BayesOptions(FreezeThawOptions):
    """Arguments of `bayes`."""

    per: str | None = Field(default=None, min_length=1, examples=["seconds", "cost"])
    """Expect improvement for each unit of this: `seconds` of training, or a metric. It counts less as the budget runs
    out."""


class GeneticOptions(Schema):
    """Arguments of `genetic`."""

    population: int = Field(default=20, ge=4)
    """Trials that may become parents; as many begin the search, drawn from a Sobol sequence."""


class AshaOptions(Schema):
    """Arguments of `asha`."""

    brackets: int = Field(default=1, ge=1)
    """Bracket s begins its trials at rung s; more brackets trust early values less."""


class HalvingOptions(Schema):
    """Arguments of `halving`."""

    size: int | None = Field(default=None, ge=1)
    """Trials of a bracket; as many as leave one at the full budget where it is left out."""


class MedianOptions(Schema):
    """Arguments of `median`."""

    warmup: int = Field(default=5, ge=1)
    """Other trials that a rung must have seen before it stops one."""


def check_options(kind: type[Schema], options: Mapping[str, Any], path: tuple[str, ...]) -> tuple[Problem, ...]:
    """What is wrong with the arguments of a method."""
    known = list(kind.model_fields)
    problems = [
        Problem(f"Unknown option {name!r}. {suggest(name, known) if known else 'This method has none.'}", (*path, name))
        for name in options
        if name not in known
    ]
    if problems:
        return tuple(problems)
    try:
        kind.model_validate(options)
    except ValidationError as error:
        return tuple(
            Problem(f"{detail['msg']}, got {detail['input']!r}.", (*path, *detail["loc"])) for detail in error.errors()
        )
    return ()
