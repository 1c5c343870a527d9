"""The hyperparameters of the kind `transformer`; the network itself is `training.models.transformer`."""

from typing import Literal

from pydantic import Field, FiniteFloat

from pegbox.training.hyperparameters.optimisation import OptimisationHyperparameters, Share
from pegbox.training.hyperparameters.tables import TableHyperparameters


class TransformerHyperparameters(OptimisationHyperparameters, TableHyperparameters):
    """A transformer encoder over a sequence; its width is `heads` times `head_size`, so that every choice fits."""

    layers: int = Field(default=2, ge=1, le=64)
    heads: int = Field(default=4, ge=1, le=128)
    head_size: int = Field(default=16, ge=1, le=1024)
    expansion: FiniteFloat = Field(default=2.0, gt=0, le=16)
    """Width of the feed-forward part of a layer, as a multiple of the width."""
    activation: Literal["relu", "gelu"] = "gelu"
    dropout: Share = 0.0
    readout: Literal["mean", "token"] = "mean"
    """What the outputs are made from: the mean over all steps, or a learned token before the first."""
