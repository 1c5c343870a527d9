"""From the vector that a network has made of numbers, and the categorical columns beside them, to the outputs."""

import torch
from torch import nn

from pegbox.training.hyperparameters.tables import TableHyperparameters
from pegbox.training.models.inputs import TableInputs
from pegbox.training.models.layers import build_dropout
from pegbox.training.tensors import DataShape


class Head(nn.Module):
    """Joins a vector a row with the categories of the row, then maps both to the outputs."""

    def __init__(self, width: int, shape: DataShape, settings: TableHyperparameters, dropout: float) -> None:
        super().__init__()
        self.inputs = TableInputs(DataShape(width, shape.cardinalities, shape.n_outputs), settings)
        self.layers = nn.Sequential(*build_dropout(dropout), nn.Linear(self.inputs.width, shape.n_outputs))

    def forward(self, vectors: torch.Tensor, categorical: torch.Tensor | None) -> torch.Tensor:
        """Shapes (n, width) and (n, n_categorical) to (n, n_outputs)."""
        outputs: torch.Tensor = self.layers(self.inputs(vectors, categorical))
        return outputs
