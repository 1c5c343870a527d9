"""Reads flat numeric columns as images or sequences, and refuses data that are neither."""

import math

import torch

from pegbox.schemas.errors import TrialError
from pegbox.schemas.example_shape import has_channels_last
from pegbox.schemas.failure import FailureKind
from pegbox.training.failures import failed
from pegbox.training.tensors import DataShape


def image_shape(shape: DataShape) -> tuple[int, int, int]:
    """Channels, height and width of the images.

    Raises:
        TrialError: The data are no images.
    """
    match shape.example:
        case (height, width):
            found = (1, height, width)
        case (height, width, channels) if has_channels_last((height, width, channels)):
            found = (channels, height, width)
        case (channels, height, width):
            found = (channels, height, width)
        case _:
            raise _refusal("images", "(n, height, width) or (n, channels, height, width)", shape)
    _require_whole(found, shape, "images")
    return found


def to_images(numeric: torch.Tensor, example: tuple[int, ...] | None, found: tuple[int, int, int]) -> torch.Tensor:
    """Shape (n, n_numeric) to (n, channels, height, width)."""
    if example is not None and len(example) == 3 and tuple(example) != found:  # channels stand last
        return numeric.view(-1, found[1], found[2], found[0]).permute(0, 3, 1, 2)
    return numeric.view(-1, *found)


def sequence_shape(shape: DataShape) -> tuple[int, int]:
    """Steps, and features of each step; columns without a shape are a sequence of single numbers.

    Raises:
        TrialError: The data have no numeric columns, or more than two dimensions.
    """
    match shape.example:
        case None | (_,) if shape.n_numeric:
            return shape.n_numeric, 1
        case (steps, features):
            _require_whole((steps, features), shape, "sequences")
            return steps, features
        case _:
            raise _refusal("sequences", "(n, steps) or (n, steps, features)", shape)


def _require_whole(found: tuple[int, ...], shape: DataShape, what: str) -> None:
    if math.prod(found) != shape.n_numeric:
        raise _refusal(what, f"{math.prod(found)} numbers each", shape)


def _refusal(what: str, expected: str, shape: DataShape) -> TrialError:
    got = f"examples of shape {shape.example} in {shape.n_numeric} numeric columns"
    message = f"this kind needs {what}, such as an array of {expected}, got {got}. Choose another kind, or other data."
    return failed(FailureKind.INVALID, message)
