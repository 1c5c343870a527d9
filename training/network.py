"""What a learner trains and makes small: who builds the model, its loss, and what is measured beside it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import nn

from pegbox.training.tensors import DataShape

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Of outputs, shape (n, n_outputs), and target: class codes (n,) or standardised numbers (n, 1)."""

Metric = Callable[[torch.Tensor, torch.Tensor], float]
"""Of outputs (n, n_classes) and codes (n,), or of two times (n,) in the target's own units; on the CPU."""


@dataclass(frozen=True)
class Network:
    """A model and what it learns by.

    Attributes:
        build: Makes a fresh model for the data, from the global random numbers.
        loss: None for cross-entropy, or the squared error where numbers are learnt.
        metrics: Measured beside those of the task, by name.
    """

    build: Callable[[DataShape], nn.Module]
    loss: Loss | None = None
    metrics: Mapping[str, Metric] = field(default_factory=dict)
