"""A multilayer perceptron; its hyperparameters are `training.hyperparameters.mlp`."""

import torch
from torch import nn

from pegbox.training.hyperparameters.mlp import MlpHyperparameters
from pegbox.training.models.inputs import TableInputs
from pegbox.training.models.layers import build_activation, build_dropout, build_norm
from pegbox.training.tensors import DataShape


class Mlp(nn.Module):
    """Inputs, then layers of linear map, norm, activation and dropout, then a linear map to the outputs."""

    def __init__(self, shape: DataShape, settings: MlpHyperparameters) -> None:
        super().__init__()
        self.inputs = TableInputs(shape, settings)
        width = self.inputs.width
        layers: list[nn.Module] = []
        for units in settings.widths:
            # A batch norm takes the mean away, and with it all that a bias could add.
            layers.append(nn.Linear(width, units, bias=settings.norm != "batch"))
            layers += build_norm(settings.norm, units)
            layers.append(build_activation(settings.activation))
            layers += build_dropout(settings.dropout)
            width = units
        self.layers = nn.Sequential(*layers, nn.Linear(width, shape.n_outputs))

    def forward(self, numeric: torch.Tensor, categorical: torch.Tensor | None = None) -> torch.Tensor:
        """Shapes (n, n_numeric) and (n, n_categorical) to (n, n_outputs)."""
        outputs: torch.Tensor = self.layers(self.inputs(numeric, categorical))
        return outputs
