"""Population based training as a study declares it: options, generations, and what may change in mid-training."""

import math

from pydantic import Field, FiniteFloat, field_validator

from pegbox.schemas.base import Schema
from pegbox.schemas.domains import Constant
from pegbox.schemas.plan import SearchSpec
from pegbox.schemas.space import Space
from pegbox.schemas.train import ModuleTrain, TorchTrain, TrainSpec

POPULATION_METHODS = frozenset({"pbt", "pb2"})
"""Methods that train a population and copy checkpoints between its members."""

LOOP_MUTABLE = frozenset(
    {
        *("lr", "lr_schedule", "lr_decay", "warmup", "batch_size", "weight_decay", "clip"),
        *("momentum", "nesterov", "beta1", "beta2", "label_smoothing", "class_weights"),
    }
)
"""Hyperparameters of the training loop that may change between two epochs. All but `optimizer`, whose state another
one could not read."""
MODEL_MUTABLE = frozenset({"dropout", "residual_dropout", "shift", "flip", "noise"})
"""Hyperparameters of the models that pegbox builds which leave the shapes of the weights as they are."""

DEFAULT_GENERATIONS = 10
"""How often members are compared where `interval` is left out. Picked by hand: the schedules that Jaderberg et al. 2017
show change some ten times, and fewer epochs than that are told from noise by few metrics."""


class PopulationOptions(Schema):
    """Arguments that `pbt` and `pb2` share."""

    population: int = Field(default=8, ge=2)
    """Members that are trained side by side."""
    interval: int | None = Field(default=None, ge=1)
    """Epochs between two comparisons; a tenth of the full budget where it is left out."""
    quantile: FiniteFloat = Field(default=0.25, gt=0, le=0.5)
    """The share of the members at the bottom that is replaced by copies of as many at the top: truncation selection."""
    burn_in: int = Field(default=0, ge=0)
    """Epochs before the first member may be replaced."""
    mutable: tuple[str, ...] | None = Field(default=None, min_length=1, examples=[["lr", "weight_decay"]])
    """The parameters that change in mid-training; all others stay as they are in a member and its copies. Left out,
    those that pegbox's own loop and models take up in mid-training; functions and programs must name theirs."""


class PbtOptions(PopulationOptions):
    """Arguments of `pbt`."""

    resample: FiniteFloat = Field(default=0.25, ge=0, le=1)
    """Probability that a parameter is drawn anew from its whole domain instead of perturbed."""
    factors: tuple[FiniteFloat, ...] = Field(default=(0.8, 1.2), min_length=1)
    """What a number is multiplied by where it is perturbed, one of them by chance; others move to a neighbour."""

    @field_validator("factors")
    @classmethod
    def _move(cls, factors: tuple[float, ...]) -> tuple[float, ...]:
        if any(factor <= 0 or factor == 1 for factor in factors):
            raise ValueError(f"factors must be above 0 and other than 1, or nothing moves, got {list(factors)}")
        return factors


class Pb2Options(PopulationOptions):
    """Arguments of `pb2`."""


def interval_of(search: SearchSpec, full_budget: int) -> int:
    """Epochs between two comparisons of a population."""
    asked = search.options.get("interval")
    if isinstance(asked, int) and asked >= 1:  # what else is asked, the method refuses
        return asked
    return max(1, math.ceil(full_budget / DEFAULT_GENERATIONS))


def generations(search: SearchSpec, full_budget: int) -> tuple[int, ...]:
    """The budgets at which the members of a population are compared; the full budget is the last.

    >>> generations(SearchSpec(method="pbt", options={"interval": 4}), 10)
    (4, 8, 10)
    """
    interval = interval_of(search, full_budget)
    return (*range(interval, full_budget, interval), full_budget)


def known_mutable(train: TrainSpec) -> frozenset[str] | None:
    """The parameters of which pegbox knows that they may change in mid-training; None where it knows of none."""
    if isinstance(train, TorchTrain):
        return LOOP_MUTABLE | MODEL_MUTABLE
    return LOOP_MUTABLE if isinstance(train, ModuleTrain) else None


def movable(space: Space) -> tuple[str, ...]:
    """Parameters that could change alone: neither constant, nor part of a sum, nor what others are conditional on."""
    bound = {parent for domain in space.parameters.values() for parent in domain.when}
    bound |= {name for rule in space.sum for name in rule.of}
    return tuple(name for name in space.order if name not in bound and not isinstance(space.parameters[name], Constant))


def mutable_parameters(search: SearchSpec, train: TrainSpec, space: Space) -> tuple[str, ...]:
    """The parameters that a study's population changes in mid-training, in the order of the space."""
    asked = search.options.get("mutable")
    names = known_mutable(train) or frozenset() if asked is None else frozenset(asked)
    return tuple(name for name in movable(space) if name in names)
