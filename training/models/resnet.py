"""A residual network for tables; its hyperparameters are `training.hyperparameters.resnet`.

Source: Gorishniy et al. 2021, "Revisiting Deep Learning Models for Tabular Data", section 3.2.
"""

import torch
from torch import nn

from pegbox.training.hyperparameters.resnet import ResnetHyperparameters
from pegbox.training.models.inputs import TableInputs
from pegbox.training.models.layers import build_activation, build_dropout, build_norm
from pegbox.training.tensors import DataShape


class ResidualBlock(nn.Module):
    """x + dropout(linear(dropout(activation(linear(norm(x))))))."""

    def __init__(self, settings: ResnetHyperparameters) -> None:
        super().__init__()
        wide = max(1, round(settings.units * settings.expansion))
        self.layers = nn.Sequential(
            *build_norm(settings.norm, settings.units),
            nn.Linear(settings.units, wide),
            build_activation(settings.activation),
            *build_dropout(settings.dropout),
            nn.Linear(wide, settings.units),
            *build_dropout(settings.residual_dropout),
        )

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """Shape (n, units) in and out."""
        added: torch.Tensor = vectors + self.layers(vectors)
        return added


class Resnet(nn.Module):
    """Inputs, a linear map to the path, residual blocks, then norm, activation and a linear map to the outputs."""

    def __init__(self, shape: DataShape, settings: ResnetHyperparameters) -> None:
        super().__init__()
        self.inputs = TableInputs(shape, settings)
        self.layers = nn.Sequential(
            nn.Linear(self.inputs.width, settings.units),
            *(ResidualBlock(settings) for _ in range(settings.blocks)),
            *build_norm(settings.norm, settings.units),
            build_activation(settings.activation),
            nn.Linear(settings.units, shape.n_outputs),
        )

    def forward(self, numeric: torch.Tensor, categorical: torch.Tensor | None = None) -> torch.Tensor:
        """Shapes (n, n_numeric) and (n, n_categorical) to (n, n_outputs)."""
        outputs: torch.Tensor = self.layers(self.inputs(numeric, categorical))
        return outputs
