"""The hyperparameters of the kind `rnn`; the network itself is `training.models.rnn`."""

from typing import Literal

from pydantic import Field

from pegbox.training.hyperparameters.optimisation import OptimisationHyperparameters, Share
from pegbox.training.hyperparameters.tables import TableHyperparameters


class RnnHyperparameters(OptimisationHyperparameters, TableHyperparameters):
    """A recurrent network over a sequence."""

    cell: Literal["lstm", "gru", "tanh"] = "gru"
    layers: int = Field(default=1, ge=1, le=32)
    units: int = Field(default=64, ge=1, le=16_384)
    """Length of the state of each layer."""
    bidirectional: bool = False
    """Read the sequence from both ends."""
    readout: Literal["last", "mean"] = "last"
    """What the outputs are made from: the last state, or the mean over all steps."""
    dropout: Share = 0.0
    """Share dropped between layers and before the outputs in a training step."""
