"""A convolutional network for images; its hyperparameters are `training.hyperparameters.cnn`."""

import torch
from torch import nn

from pegbox.training.hyperparameters.cnn import CnnHyperparameters
from pegbox.training.models.augmentation import augment
from pegbox.training.models.head import Head
from pegbox.training.models.layers import build_activation
from pegbox.training.models.shapes import image_shape, to_images
from pegbox.training.tensors import DataShape


class Cnn(nn.Module):
    """Blocks of convolution, norm, activation and pooling; the mean over the image; a head."""

    def __init__(self, shape: DataShape, settings: CnnHyperparameters) -> None:
        super().__init__()
        self.settings, self.example, self.image = settings, shape.example, image_shape(shape)
        channels, height, width = self.image
        blocks: list[nn.Module] = []
        for wide in settings.widths:
            for _ in range(settings.convolutions):
                blocks += _convolution(channels, wide, settings)
                channels = wide
            if settings.pooling != "none" and min(height, width) >= 2:
                blocks.append(nn.MaxPool2d(2) if settings.pooling == "max" else nn.AvgPool2d(2))
                height, width = height // 2, width // 2
        self.blocks = nn.Sequential(*blocks)
        self.hidden = nn.Sequential()
        if settings.head_units:
            self.hidden.append(nn.Linear(channels, settings.head_units))
            self.hidden.append(build_activation(settings.activation))
        self.head = Head(settings.head_units or channels, shape, settings, settings.dropout)

    def forward(self, numeric: torch.Tensor, categorical: torch.Tensor | None = None) -> torch.Tensor:
        """Shapes (n, n_numeric) and (n, n_categorical) to (n, n_outputs)."""
        images = to_images(numeric, self.example, self.image)
        if self.training:
            images = augment(images, shift=self.settings.shift, flip=self.settings.flip, noise=self.settings.noise)
        outputs: torch.Tensor = self.head(self.hidden(self.blocks(images).mean(dim=(2, 3))), categorical)
        return outputs


def _convolution(channels: int, wide: int, settings: CnnHyperparameters) -> list[nn.Module]:
    norms: dict[str, list[nn.Module]] = {
        "none": [],
        "batch": [nn.BatchNorm2d(wide)],
        # One group is a layer norm over channels and places (Wu & He 2018) for images of any size.
        "layer": [nn.GroupNorm(1, wide)],
    }
    convolution = nn.Conv2d(channels, wide, settings.kernel, padding="same", bias=settings.norm == "none")
    return [convolution, *norms[settings.norm], build_activation(settings.activation)]
