"""The hyperparameters of the kind `resnet`; the network itself is `training.models.resnet`."""

from pydantic import Field, FiniteFloat

from pegbox.training.hyperparameters.optimisation import Activation, Norm, OptimisationHyperparameters, Share
from pegbox.training.hyperparameters.tables import TableHyperparameters


class ResnetHyperparameters(OptimisationHyperparameters, TableHyperparameters):
    """A residual network for tables."""

    blocks: int = Field(default=2, ge=0, le=128)
    """Residual blocks."""
    units: int = Field(default=128, ge=1, le=65_536)
    """Width of the path that blocks add to."""
    expansion: FiniteFloat = Field(default=2.0, gt=0, le=64)
    """Width within a block, as a multiple of `units`."""
    activation: Activation = "relu"
    norm: Norm = "batch"
    dropout: Share = 0.0
    """Share of the units within a block that is dropped in a training step."""
    residual_dropout: Share = 0.0
    """Share of what a block adds that is dropped in a training step."""
