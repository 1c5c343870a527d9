"""A transformer encoder for sequences; its hyperparameters are `training.hyperparameters.transformer`.

Source: Vaswani et al. 2017; the norm stands before each part, after Xiong et al. 2020.
"""

import torch
from torch import nn

from pegbox.training.hyperparameters.transformer import TransformerHyperparameters
from pegbox.training.models.head import Head
from pegbox.training.models.shapes import sequence_shape
from pegbox.training.tensors import DataShape


class Transformer(nn.Module):
    """A linear map of each step, learned places, encoder layers, a readout, a head."""

    def __init__(self, shape: DataShape, settings: TransformerHyperparameters) -> None:
        super().__init__()
        self.sequence = sequence_shape(shape)
        self.has_token = settings.readout == "token"
        steps, features = self.sequence
        width = settings.heads * settings.head_size
        self.embedding = nn.Linear(features, width)
        # 0.02 is the spread of BERT's first weights (Devlin et al. 2019).
        self.places = nn.Parameter(0.02 * torch.randn(steps + self.has_token, width))
        layer = nn.TransformerEncoderLayer(
            width,
            settings.heads,
            dim_feedforward=max(1, round(width * settings.expansion)),
            dropout=settings.dropout,
            activation=settings.activation,
            batch_first=True,
            norm_first=True,
        )
        # Without nested tensors: torch has them only where the norm stands behind each part, and warns otherwise.
        self.encoder = nn.TransformerEncoder(
            layer, settings.layers, norm=nn.LayerNorm(width), enable_nested_tensor=False
        )
        self.head = Head(width, shape, settings, settings.dropout)

    def forward(self, numeric: torch.Tensor, categorical: torch.Tensor | None = None) -> torch.Tensor:
        """Shapes (n, n_numeric) and (n, n_categorical) to (n, n_outputs)."""
        steps = self.embedding(numeric.view(-1, *self.sequence))
        if self.has_token:  # the token is its place alone
            steps = nn.functional.pad(steps, (0, 0, 1, 0))
        states = self.encoder(steps + self.places)
        outputs: torch.Tensor = self.head(states[:, 0] if self.has_token else states.mean(dim=1), categorical)
        return outputs
