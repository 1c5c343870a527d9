"""Turns numeric and categorical columns into one vector a row, for every kind that reads tables."""

import math

import torch
from torch import nn

from pegbox.training.hyperparameters.tables import TableHyperparameters
from pegbox.training.tensors import DataShape


def embedding_size(cardinality: int) -> int:
    """Length of a category's vector where none is asked for.

    Source: the rule of fastai's tabular learner, min(600, 1.6 * n^0.56).
    """
    return min(600, round(1.6 * math.pow(cardinality, 0.56)))


class TableInputs(nn.Module):
    """Numeric columns beside a vector for each categorical one; `width` is the length of the whole."""

    def __init__(self, shape: DataShape, settings: TableHyperparameters) -> None:
        super().__init__()
        self.cardinalities = shape.cardinalities
        self.onehot = settings.categories == "onehot"
        sizes = [settings.embedding_size or embedding_size(cardinality) for cardinality in self.cardinalities]
        self.embeddings = nn.ModuleList(
            []
            if self.onehot
            else [nn.Embedding(cardinality, size) for cardinality, size in zip(self.cardinalities, sizes, strict=True)]
        )
        self.width = shape.n_numeric + (sum(self.cardinalities) if self.onehot else sum(sizes))

    def forward(self, numeric: torch.Tensor, categorical: torch.Tensor | None = None) -> torch.Tensor:
        """Shapes (n, n_numeric) and (n, n_categorical) to (n, width)."""
        if categorical is None:
            return numeric
        if self.onehot:
            vectors = [
                nn.functional.one_hot(categorical[:, column], cardinality).to(numeric.dtype)
                for column, cardinality in enumerate(self.cardinalities)
            ]
        else:
            vectors = [embedding(categorical[:, column]) for column, embedding in enumerate(self.embeddings)]
        return torch.cat([numeric, *vectors], dim=1)
