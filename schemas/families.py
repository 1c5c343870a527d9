"""Families of models in one conditional space: which of them a configuration trains, and the space of each."""

from collections.abc import Mapping
from typing import NamedTuple

from pegbox.schemas.base import Configuration, EntryError, Scalar, Value
from pegbox.schemas.domains import AnyDomain, Categorical
from pegbox.schemas.errors import suggest
from pegbox.schemas.space import Space
from pegbox.schemas.train import FamiliesTrain, SklearnTrain, TrainSpec

FAMILY = "family"
"""The parameter that decides which family a trial trains."""


class Trained(NamedTuple):
    """What a configuration trains.

    Attributes:
        train: Of one kind, never several.
        configuration: In the names that this kind knows.
        family: Its name; None in a study of one kind.
    """

    train: TrainSpec
    configuration: Configuration
    family: str | None = None


def what_is_trained(train: TrainSpec, configuration: Configuration) -> Trained:
    """The family that a configuration names, with the hyperparameters that are its own; else both as they are.

    All that comes after it, a checkpoint, a cache, a model, an export, then knows one kind of training alone.
    """
    if not isinstance(train, FamiliesTrain):
        return Trained(train, configuration)
    family = str(configuration[FAMILY])
    own = {_own_name(name, family): value for name, value in configuration.items() if name != FAMILY}
    return Trained(as_alone(train, family), own, family)


def as_alone(train: FamiliesTrain, family: str) -> TrainSpec:
    """One of the families as a study of it alone would have it."""
    one = train.families[family]
    # An estimator is fitted whole in its first epoch: grown in as many parts as a network has epochs, it would be
    # fitted as many times.
    shared = {"task": train.task} | ({} if isinstance(one, SklearnTrain) else {"epochs": train.epochs})
    return one.model_copy(update=shared)


def space_of(space: Space, family: str) -> Space:
    """The part of a space that one family is handed, in the names that it knows; may be empty."""
    own = {
        _own_name(name, family): _alone(domain, family)
        for name, domain in space.parameters.items()
        if name != FAMILY and _is_of(space, name, family)
    }
    forbidden = tuple(
        {_own_name(name, family): bound for name, bound in entries.items() if name != FAMILY}
        for entries in space.forbid
        if all(_own_name(name, family) in own for name in entries.keys() - {FAMILY}) and entries.keys() != {FAMILY}
    )
    # Not validated: a family may have nothing that is tuned, where a study must have something.
    return Space.model_construct(parameters=own, forbid=forbidden, preset=None, sum=())


def check_families(train: FamiliesTrain, space: Space) -> None:
    """Refuse a space that does not decide among the families, or hands one what is another's.

    Raises:
        EntryError: At the entry of the study that is at fault.
    """
    if space.preset is not None:
        message = "a preset is for one kind of model, and this study has several. Write the parameters of each family."
        raise EntryError(message, "space", "preset")
    known = space.parameters.get(FAMILY)
    if not isinstance(known, Categorical):
        names = ", ".join(train.families)
        raise EntryError(
            f"a study of families needs the parameter {FAMILY!r}, by which the search decides among them. Write "
            f"`{FAMILY}: [{names}]`.",
            "space",
            FAMILY,
        )
    for value in known.values:
        if value not in train.families:
            raise EntryError(f"no family {value!r}. {suggest(str(value), train.families)}", "space", FAMILY)
    for name in train.families:
        if name not in known.values:
            raise EntryError(f"no trial is ever of the family {name!r}. Add it to space.{FAMILY}.", "space", FAMILY)
    for name, domain in space.parameters.items():
        _check_parameter(name, domain, train)


def _check_parameter(name: str, domain: AnyDomain, train: FamiliesTrain) -> None:
    """Refuse a parameter whose name is that of a family, and which another would be handed."""
    owner = name.partition(".")[0]
    if owner == name or owner not in train.families or _wanted(domain.when) == (owner,):
        return
    raise EntryError(
        f"{name} belongs to the family {owner!r}, and others would be handed it. Write `when: {{{FAMILY}: {owner}}}`.",
        "space",
        name,
    )


def _is_of(space: Space, name: str, family: str) -> bool:
    """True if a parameter may be active where the family is trained: by its conditions, and by those of its parents."""
    when = space.parameters[name].when
    if family not in (_wanted(when) or (family,)):
        return False
    return all(_is_of(space, parent, family) for parent in when if parent != FAMILY)


def _wanted(when: Mapping[str, Value | tuple[Scalar, ...]]) -> tuple[Value, ...] | None:
    """The families for which a condition holds; None where it names none."""
    wanted = when.get(FAMILY)
    return None if wanted is None else wanted if isinstance(wanted, tuple) else (wanted,)


def _alone(domain: AnyDomain, family: str) -> AnyDomain:
    """With its conditions in the names that the family knows."""
    when = {_own_name(parent, family): wanted for parent, wanted in domain.when.items() if parent != FAMILY}
    return domain.model_copy(update={"when": when})


def _own_name(name: str, family: str) -> str:
    return name.removeprefix(f"{family}.")
