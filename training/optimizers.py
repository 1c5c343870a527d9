"""Builds the torch optimizer that the hyperparameters name; the steps are taken in `loop`."""

from collections.abc import Iterable
from typing import Any

import torch

from pegbox.training.hyperparameters.optimisation import OptimisationHyperparameters


def build_optimizer(
    parameters: Iterable[torch.nn.Parameter], settings: OptimisationHyperparameters
) -> torch.optim.Optimizer:
    """An optimizer over all parameters; norms and biases are decayed like the rest, as torch does."""
    groups: Any = list(parameters)
    shared: dict[str, Any] = {"lr": settings.lr, "weight_decay": settings.weight_decay}
    betas = (settings.beta1, settings.beta2)
    match settings.optimizer:
        case "adamw":
            # Fused: one kernel updates all weights, instead of several for each tensor.
            return torch.optim.AdamW(groups, betas=betas, fused=True, **shared)
        case "adam":
            return torch.optim.Adam(groups, betas=betas, fused=True, **shared)
        case "nadam":
            return torch.optim.NAdam(groups, betas=betas, **shared)
        case "radam":
            return torch.optim.RAdam(groups, betas=betas, **shared)
        case "sgd":
            # Nesterov's form is not defined without momentum.
            nesterov = settings.nesterov and settings.momentum > 0
            return torch.optim.SGD(groups, momentum=settings.momentum, nesterov=nesterov, fused=True, **shared)
        case "rmsprop":
            return torch.optim.RMSprop(groups, alpha=settings.beta2, momentum=settings.momentum, **shared)
        case "adagrad":
            return torch.optim.Adagrad(groups, **shared)
