"""Which parameters go to a user's module, which to its loss, and which to the loop; light, loads no torch.

A name that the loop knows is the loop's, and a module, loss or loaders that take it by name are given it as well. What
no one takes is refused.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from pegbox.schemas.train import ModuleTrain
from pegbox.training.hyperparameters.optimisation import OptimisationHyperparameters

OFFERED = ("n_features", "n_classes", "input_shape", "cardinalities")
"""What a module may take by name beside the parameters of the space."""

OF_THE_LOSS = frozenset({"label_smoothing", "class_weights"})
"""Hyperparameters of the loop's own loss, which one of the user's may take by name and which else mean nothing."""

GIVEN_TO_A_LOSS = 2
"""Outputs and target, the first arguments of a loss."""


class Taken(NamedTuple):
    """The names that something of the user's can be called with.

    Attributes:
        names: Of its arguments, those of the call itself left out.
        needed: Those without a default.
        takes_any: True for one with `**kwargs`.
    """

    names: tuple[str, ...]
    needed: tuple[str, ...]
    takes_any: bool = False


def loop_names(train: ModuleTrain) -> frozenset[str]:
    """The hyperparameters that the loop takes of a space."""
    known = frozenset(OptimisationHyperparameters.model_fields)
    return known - OF_THE_LOSS if train.loss else known


def of_the_loop(train: ModuleTrain, configuration: Mapping[str, Any]) -> dict[str, Any]:
    """What the loop is told."""
    names = loop_names(train)
    return {name: value for name, value in configuration.items() if name in names}


def untaken(names: Collection[str], train: ModuleTrain, takers: Sequence[Taken]) -> tuple[str, ...]:
    """Parameters that neither the loop nor anything of the user's takes; those of a group go by its name."""
    if any(taker.takes_any for taker in takers):
        return ()
    known = loop_names(train) | {name for taker in takers for name in taker.names}
    return tuple(name for name in names if name not in known and name.split(".")[0] not in known)
