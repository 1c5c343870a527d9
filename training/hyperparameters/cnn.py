"""The hyperparameters of the kind `cnn`; the network itself is `training.models.cnn`."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pegbox.training.hyperparameters.optimisation import Activation, Norm, OptimisationHyperparameters, Share
from pegbox.training.hyperparameters.tables import TableHyperparameters

Channels = Annotated[int, Field(ge=1, le=8192)]


class CnnHyperparameters(OptimisationHyperparameters, TableHyperparameters):
    """A convolutional network: blocks of convolution, norm, activation and pooling, then the mean over the image."""

    blocks: int = Field(default=2, ge=1, le=32)
    channels: Channels | Annotated[tuple[Channels, ...], Field(min_length=1)] = 32
    """Channels of the first block, doubled by each further one; or one number per block."""
    convolutions: int = Field(default=1, ge=1, le=8)
    """Convolutions in a block."""
    kernel: int = Field(default=3, ge=1, le=31)
    """Height and width of a kernel."""
    pooling: Literal["max", "mean", "none"] = "max"
    """Halves the image after a block, as long as it is two pixels wide or more."""
    activation: Activation = "relu"
    norm: Norm = "batch"
    """Between convolution and activation; layer is one norm over all channels and pixels of an image."""
    head_units: int = Field(default=0, ge=0, le=65_536)
    """Width of a hidden layer before the outputs; 0 for none."""
    dropout: Share = 0.0
    """Share of the inputs of the last linear map that is dropped in a training step."""
    shift: int = Field(default=0, ge=0, le=64)
    """Augmentation: move each training image by up to so many pixels, its border repeated."""
    flip: bool = False
    """Augmentation: mirror half of the training images left to right."""
    noise: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """Augmentation: add normal noise of this deviation, in standard deviations of a pixel."""

    @model_validator(mode="after")
    def _one_number_a_block(self) -> Self:
        if isinstance(self.channels, tuple) and "blocks" in self.model_fields_set and self.blocks != len(self.channels):
            raise ValueError(
                f"channels gives {len(self.channels)} numbers for blocks={self.blocks}. Leave blocks out, or give one."
            )
        return self

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of each block."""
        if isinstance(self.channels, tuple):
            return self.channels
        return tuple(self.channels * 2**block for block in range(self.blocks))
