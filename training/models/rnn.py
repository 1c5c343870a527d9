"""A recurrent network for sequences; its hyperparameters are `training.hyperparameters.rnn`."""

from collections.abc import Callable

import torch
from torch import nn

from pegbox.training.hyperparameters.rnn import RnnHyperparameters
from pegbox.training.models.head import Head
from pegbox.training.models.shapes import sequence_shape
from pegbox.training.tensors import DataShape

_CELLS: dict[str, Callable[..., nn.RNNBase]] = {"lstm": nn.LSTM, "gru": nn.GRU, "tanh": nn.RNN}


class Rnn(nn.Module):
    """Recurrent layers, a readout over the steps, a head."""

    def __init__(self, shape: DataShape, settings: RnnHyperparameters) -> None:
        super().__init__()
        self.settings, self.sequence = settings, sequence_shape(shape)
        self.recurrent = _CELLS[settings.cell](
            self.sequence[1],
            settings.units,
            num_layers=settings.layers,
            batch_first=True,
            bidirectional=settings.bidirectional,
            # torch drops between layers only, and warns where there is one.
            dropout=settings.dropout if settings.layers > 1 else 0.0,
        )
        width = settings.units * (2 if settings.bidirectional else 1)
        self.head = Head(width, shape, settings, settings.dropout)

    def forward(self, numeric: torch.Tensor, categorical: torch.Tensor | None = None) -> torch.Tensor:
        """Shapes (n, n_numeric) and (n, n_categorical) to (n, n_outputs)."""
        states, _ = self.recurrent(numeric.view(-1, *self.sequence))
        outputs: torch.Tensor = self.head(self._read(states), categorical)
        return outputs

    def _read(self, states: torch.Tensor) -> torch.Tensor:
        if self.settings.readout == "mean":
            return states.mean(dim=1)
        if not self.settings.bidirectional:
            return states[:, -1]
        # Read backwards, the state that has seen everything stands at the first step.
        units = self.settings.units
        return torch.cat([states[:, -1, :units], states[:, 0, units:]], dim=1)
