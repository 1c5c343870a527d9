"""The hyperparameters of the kind `mlp`; the network itself is `training.models.mlp`."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from pegbox.training.hyperparameters.optimisation import Activation, Norm, OptimisationHyperparameters, Share
from pegbox.training.hyperparameters.tables import TableHyperparameters

Width = Annotated[int, Field(ge=1, le=65_536)]


class MlpHyperparameters(OptimisationHyperparameters, TableHyperparameters):
    """A multilayer perceptron: layers of linear map, norm, activation and dropout."""

    layers: int = Field(default=2, ge=0, le=128)
    """Hidden layers; 0 is a linear model."""
    units: Width | Annotated[tuple[Width, ...], Field(min_length=1)] = 128
    """Width of every hidden layer, or one width per layer."""
    activation: Activation = "relu"
    dropout: Share = 0.0
    """Share of the units of each hidden layer that is dropped in a training step."""
    norm: Norm = "none"
    """Between the linear map and the activation."""

    @model_validator(mode="after")
    def _one_width_a_layer(self) -> Self:
        if isinstance(self.units, tuple) and "layers" in self.model_fields_set and self.layers != len(self.units):
            raise ValueError(
                f"units gives {len(self.units)} widths for layers={self.layers}. Leave layers out, or give one width."
            )
        return self

    @property
    def widths(self) -> tuple[int, ...]:
        """Width of each hidden layer."""
        return self.units if isinstance(self.units, tuple) else (self.units,) * self.layers
