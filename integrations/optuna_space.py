"""Optuna's distributions as domains of a study file."""

from collections.abc import Mapping
from typing import Any

from pegbox.integrations.ranges import RawDomain, number_range
from pegbox.schemas.errors import ConversionError


def is_optuna_space(found: Any) -> bool:
    """True for a mapping of names to distributions of Optuna."""
    return isinstance(found, Mapping) and len(found) > 0 and all(_is_distribution(one) for one in found.values())


def _is_distribution(found: Any) -> bool:
    # By the name of the module, so that Optuna need not be loaded to look at an object.
    return any(kind.__module__.startswith("optuna.distributions") for kind in type(found).__mro__)


def space_from_optuna(distributions: Mapping[str, Any]) -> dict[str, RawDomain]:
    """The space of Optuna's distributions, such as `study.best_trial.distributions`.

    Raises:
        ConversionError: A distribution is of a kind that is not known.
    """
    return {name: _domain(name, distribution) for name, distribution in distributions.items()}


def _domain(name: str, distribution: Any) -> RawDomain:
    kind = type(distribution).__name__
    if kind == "CategoricalDistribution":
        return list(distribution.choices)
    if kind not in {"FloatDistribution", "IntDistribution"}:
        raise ConversionError(
            f"{name}: expected a distribution of Optuna, got {distribution!r}. Write the domain yourself."
        )
    # A step of 1 is Optuna's default for whole numbers and says nothing.
    step = distribution.step if distribution.step not in (None, 1) else None
    is_whole = kind == "IntDistribution"
    return number_range(distribution.low, distribution.high, log=distribution.log, step=step, whole=is_whole)
