"""A user's `torch.nn.Module` by import path, with its loss and metrics, as a `Network` that the loop trains."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import nn

from pegbox.schemas.base import Configuration
from pegbox.schemas.errors import TrialError, suggest
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.parameter_groups import gather_groups
from pegbox.schemas.train import ModuleTrain
from pegbox.training.failures import failed
from pegbox.training.network import Loss, Metric, Network
from pegbox.training.tensors import DataShape
from pegbox.training.user_arguments import GIVEN_TO_A_LOSS, OFFERED, Taken, loop_names, untaken
from pegbox.training.user_code import import_function
from pegbox.training.user_metrics import as_number
from pegbox.training.user_module import UserModule


def user_network(train: ModuleTrain, configuration: Configuration) -> Network:
    """What a study's import paths name, bound to the values of a configuration.

    Raises:
        TrialError: A path leads nowhere, or nothing takes a parameter of the configuration.
    """
    maker = made_by(train.module)
    loss = import_function(train.loss) if train.loss else None
    takers = [taken_by(maker), *([loss_arguments(loss)] if loss else [])]
    refuse_untaken(configuration, train, takers)
    return Network(
        build=partial(_build, train, maker, configuration),
        loss=own_loss(loss, train, configuration) if loss else None,
        metrics=own_metrics(train),
    )


def made_by(path: str) -> Callable[..., Any]:
    """The class or function that makes a module.

    Raises:
        TrialError: It is a module already.
    """
    maker = import_function(path)
    if isinstance(maker, nn.Module):
        what = f"{path} is a module that is made already, so that all trials would share its weights"
        raise failed(FailureKind.INVALID, f"{what}. Name its class, or a function that makes one.")
    return maker


def taken_by(function: Callable[..., Any]) -> Taken:
    """The arguments of a function or class by name; any where it has no signature."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return Taken((), (), takes_any=True)
    named = [one for one in parameters if one.kind in {one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY}]
    needed = tuple(one.name for one in named if one.default is one.empty)
    takes_any = any(one.kind is one.VAR_KEYWORD for one in parameters)
    return Taken(tuple(one.name for one in named), needed, takes_any)


def loss_arguments(loss: Callable[..., Any]) -> Taken:
    """Of a class its arguments, of a function those after outputs and target."""
    names, needed, _ = taken_by(loss)
    if inspect.isclass(loss):
        return Taken(names, needed, takes_any=False)
    own = names[GIVEN_TO_A_LOSS:]
    return Taken(own, tuple(name for name in needed if name in own), takes_any=False)


def refuse_untaken(configuration: Configuration, train: ModuleTrain, takers: list[Taken]) -> None:
    """Refuse a parameter that would change nothing.

    Raises:
        TrialError: Neither the loop nor anything of the user's takes it.
    """
    for name in untaken(configuration, train, takers):
        known = sorted({*loop_names(train), *(one for taker in takers for one in taker.names)})
        raise failed(FailureKind.INVALID, f"neither {train.module} nor the loop takes {name!r}. {suggest(name, known)}")


def bound(path: str, taken: Taken, offered: Mapping[str, Any], loop: frozenset[str]) -> dict[str, Any]:
    """What to call something of the user's with.

    Args:
        path: Its import path, for the message.
        taken: What it takes.
        offered: Every value that there is, by name.
        loop: Names that only go where they are asked for by name.

    Raises:
        TrialError: It needs a name that is not offered.
    """
    chosen = {
        name: value
        for name, value in gather_groups(offered, taken.names).items()
        if name in taken.names or (taken.takes_any and name not in loop and name not in OFFERED)
    }
    for name in taken.needed:
        if name not in chosen:
            what = f"{path} needs {name!r}, which is neither in the space nor offered here"
            raise failed(FailureKind.INVALID, f"{what}. {suggest(name, offered)} Give it a default.")
    return chosen


def _build(train: ModuleTrain, maker: Callable[..., Any], configuration: Configuration, shape: DataShape) -> nn.Module:
    taken = taken_by(maker)
    takes_codes = "cardinalities" in taken.names
    # Who asks for columns and not for a shape thinks in flat rows.
    is_flat = "n_features" in taken.names and "input_shape" not in taken.names
    n_features = shape.n_numeric + (0 if takes_codes else sum(shape.cardinalities))
    offered = {
        "n_features": n_features,
        "input_shape": shape.example if shape.example and not shape.cardinalities else (n_features,),
        "cardinalities": shape.cardinalities,
        # Not offered where numbers are learnt: a model of one class would be a mistake that nobody sees.
        **({"n_classes": shape.n_outputs} if shape.n_outputs > 1 else {}),
    }
    arguments = bound(train.module, taken, {**offered, **configuration}, loop_names(train))
    made = required_module(train.module, maker(**arguments))
    module = UserModule(train.module, made, replace(shape, example=None) if is_flat else shape, arguments)
    module.settle()
    return module


def required_module(path: str, made: Any) -> nn.Module:
    """What was made, if it can be trained.

    Raises:
        TrialError: It is no module.
    """
    if not isinstance(made, nn.Module):
        raise failed(FailureKind.INVALID, f"{path} must make a torch.nn.Module, got {made!r:.200}.")
    return made


def own_loss(loss: Callable[..., Any], train: ModuleTrain, configuration: Configuration) -> Loss:
    """The user's loss with what it takes of the configuration; its answers are checked."""
    path = train.loss or ""
    arguments = bound(path, loss_arguments(loss), configuration, frozenset())
    made: Any = loss(**arguments) if inspect.isclass(loss) else partial(loss, **arguments)
    function: Callable[..., Any] = made
    if isinstance(function, nn.Module) and any(True for _ in function.parameters()):
        message = f"{path} has weights of its own, and the optimizer is given those of the module. Keep them there."
        raise failed(FailureKind.INVALID, message)

    def checked(outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        if isinstance(function, nn.Module):
            function.to(target.device)  # what it keeps as a buffer, such as weights of classes
        value = function(outputs, target)
        if not isinstance(value, torch.Tensor) or value.numel() != 1:
            got = f"shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else f"{value!r:.100}"
            message = f"{path} must give a tensor of one number for a batch, got {got}. Take the mean over its rows."
            raise failed(FailureKind.INVALID, message)
        if torch.is_grad_enabled() and not value.requires_grad and getattr(outputs, "requires_grad", True):
            message = f"{path} gave a loss that does not depend on the outputs, so that nothing is learnt from it. "
            raise failed(FailureKind.INVALID, f"{message}Compute it with torch, from tensors that are not detached.")
        return value.reshape(())

    return checked


def own_metrics(train: ModuleTrain) -> dict[str, Metric]:
    """The user's metrics by name."""
    return {name: _metric(path, name) for name, path in train.metrics.items()}


def _metric(path: str, name: str) -> Metric:
    found = import_function(path)
    made: Any = found() if inspect.isclass(found) else found
    function: Callable[..., Any] = made

    def checked(outputs: torch.Tensor, target: torch.Tensor) -> float:
        try:
            return as_number(function(outputs, target), name, path)
        except TrialError:
            raise
        except Exception as error:
            got = f"outputs of shape {tuple(outputs.shape)} and targets of shape {tuple(target.shape)}"
            message = f"{path} raised {type(error).__name__}: {error}, given {got}."
            raise failed(FailureKind.ERROR, message) from error

    return checked
