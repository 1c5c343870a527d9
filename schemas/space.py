"""The search space: parameters, when they are active, and what is forbidden; encoding to numbers lives in `search`."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, FiniteFloat, model_serializer, model_validator

from pegbox.schemas.base import Configuration, Declared, EntryError, Scalar, Schema, Value
from pegbox.schemas.domains import AnyDomain, Domain, DomainEntry, Float, read_domain
from pegbox.schemas.errors import suggest
from pegbox.schemas.parameter_groups import flatten_groups
from pegbox.schemas.presets import PRESETS
from pegbox.schemas.values import same

RESERVED_NAMES = ("forbid", "preset", "sum")

SUM_TOLERANCE = 1e-9
"""Relative; configurations are kept with twelve digits, so the sum of a few hundred of them is better than this."""

Bound = Value | Annotated[Mapping[Literal["min", "max"], FiniteFloat], Field(min_length=1)]
"""In a forbidden combination: a value, a list of values, or a range."""


class DrawnPreset(Schema):
    """A preset that was drawn into a space; pegbox writes it when the study begins, and it stays."""

    kind: str
    """Of model."""
    narrowed_by: tuple[str, ...] = ()
    """Earlier studies of the same kind whose best trials narrowed the published ranges."""


class Sum(Declared):
    """Parameters that share a total, such as the weights of a mixture."""

    of: tuple[str, ...] = Field(min_length=2, examples=[["w_text", "w_image", "w_audio"]])
    """The parameters: real ranges without log, step, extra, distribution or condition."""
    total: FiniteFloat = Field(alias="is", examples=[1.0])
    """What their values add up to."""

    @model_serializer(mode="wrap")
    def _as_written(self, handler: Any) -> dict[str, Any]:
        return {"is" if name == "total" else name: value for name, value in handler(self).items()}

    def holds(self, configuration: Configuration) -> bool:
        """True if the values add up, as far as sums of doubles can be told apart; False where one is no number."""
        values = [configuration.get(name) for name in self.of]
        numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
        scale = max(abs(self.total), *(abs(number) for number in numbers), 1e-300) if numbers else 1.0
        return len(numbers) == len(values) and abs(math.fsum(numbers) - self.total) <= SUM_TOLERANCE * scale


def _is_gathered(raw: Mapping[str, Any]) -> bool:
    """True for a space as it is made in Python; in a file `parameters` would be one more name."""
    inner = raw.get("parameters")
    if not isinstance(inner, Mapping) or not raw.keys() <= {"parameters", *RESERVED_NAMES}:
        return False
    return not any(name in inner and not isinstance(inner[name], Mapping | Domain) for name in ("min", "max", "values"))


class Space(Schema):
    """The search space.

    In the study file the parameters stand directly under `space:`, beside the reserved words `forbid` and `preset`.
    `names` gives them in an order in which every parent comes before its children.
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
    sum: tuple[Sum, ...] = Field(default=(), examples=[{"of": ["a", "b", "c"], "is": 1.0}])
    """Parameters whose values add up to a fixed total: one rule, or a list of them."""

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping) or _is_gathered(raw):
            return raw
        reserved = {name: raw[name] for name in RESERVED_NAMES if name in raw}
        if "sum" in reserved and not _are_sum_rules(reserved["sum"]):
            del reserved["sum"]  # a parameter of this name
        elif isinstance(reserved.get("sum"), Mapping):
            reserved["sum"] = (reserved["sum"],)
        return {"parameters": flatten_groups({name: raw[name] for name in raw if name not in reserved}), **reserved}

    @model_serializer(mode="wrap")
    def _spread(self, handler: Any) -> dict[str, Any]:
        raw = handler(self)
        spread: dict[str, Any] = dict(raw.pop("parameters", {}))
        return spread | {name: value for name, value in raw.items() if value}

    @property
    def rules(self) -> dict[str, Any]:
        """The reserved words that the space uses, as a file writes them; parameters may be called like the others."""
        raw = self.model_dump(mode="json")
        return {name: raw[name] for name in RESERVED_NAMES if getattr(self, name)}

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
        self._check_sums()
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

    def _check_sums(self) -> None:
        shared = Counter(name for rule in self.sum for name in rule.of)
        for number, rule in enumerate(self.sum):
            for position, name in enumerate(rule.of):
                if (message := self._misfit_of_sum(name, shared[name])) is not None:
                    raise EntryError(message, "sum", *([number] if len(self.sum) > 1 else []), "of", position)
            domains = [self.parameters[name] for name in rule.of]
            # fsum, exact but for the last rounding: a sum of ten times 0.1 is 1.
            lowest = math.fsum(domain.min for domain in domains if isinstance(domain, Float))
            highest = math.fsum(domain.max for domain in domains if isinstance(domain, Float))
            if not lowest < rule.total < highest:
                raise EntryError(
                    f"the sum of {', '.join(rule.of)} lies between {lowest:g} and {highest:g} and cannot be searched "
                    f"at {rule.total:g}. Change `is`, or the ranges.",
                    "sum",
                )

    def _misfit_of_sum(self, name: str, n_uses: int) -> str | None:
        """Why a parameter cannot be part of a sum; None where it can."""
        domain = self.parameters.get(name)
        if domain is None:
            return f"sum names the unknown parameter {name!r}. {suggest(name, self.parameters)}"
        if n_uses > 1:
            return f"{name} stands in {n_uses} places of sum. Name it once."
        if not isinstance(domain, Float) or domain.log or domain.step or domain.extra or domain.density or domain.when:
            return f"{name} must be a plain real range {{min, max}} to be part of a sum. Drop what else it says."
        if domain.prior is not None or any(name in entries for entries in self.forbid):
            return f"{name} is part of a sum and can have neither a prior nor a place in forbid. Drop one of them."
        if any(name in other.when for other in self.parameters.values()):
            return f"{name} is part of a sum, and no other parameter can be conditional on it. Drop that `when`."
        return None

    @cached_property
    def published(self) -> dict[str, AnyDomain]:
        """The published domains of a preset that has not been drawn, the most worthwhile first; else empty."""
        raw = PRESETS[self.preset] if isinstance(self.preset, str) else {}
        return {name: read_domain(domain) for name, domain in raw.items()}

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
            # Kahn's topological sort, in the order of the file among equals: the order of the encoding, and so of
            # every random draw, follows from the file alone.
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
            # Exactly the active ones: a value of an inactive parameter would make two configurations of one, and the
            # cache key would differ for the same training.
            active == set(configuration)
            and all(self.parameters[name].contains(value) for name, value in configuration.items())
            and not self.is_forbidden(configuration)
            and all(rule.holds(configuration) for rule in self.sum)
        )


def _are_sum_rules(raw: Any) -> bool:
    """True for what `sum` says where it is no parameter."""
    rules = raw if isinstance(raw, list | tuple) else (raw,)
    return len(rules) > 0 and all(
        isinstance(rule, Sum) or (isinstance(rule, Mapping) and "of" in rule) for rule in rules
    )


def _matches(value: Value, wanted: Value | tuple[Scalar, ...]) -> bool:
    return any(same(value, one) for one in wanted) if isinstance(wanted, tuple) else same(value, wanted)


def _within(value: Value, bound: Bound) -> bool:
    if isinstance(bound, Mapping):
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return bound.get("min", -math.inf) <= value <= bound.get("max", math.inf)
    return _matches(value, bound)
