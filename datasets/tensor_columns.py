"""A column of a table whose every cell is an array of one shape; Arrow's fixed-shape tensors."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pegbox.schemas.example_shape import has_channels_last

NUMBERS = "biuf"
"""Kinds of numpy's types that a column of arrays may hold."""


def tensor_column(values: npt.NDArray[Any]) -> pa.Array:
    """Arrays of shape (n_rows, *shape) as a column; nothing is copied where the memory lies in order.

    Raises:
        ValueError: They hold something else than real numbers.
    """
    if values.dtype.kind not in NUMBERS:
        raise ValueError(f"arrays to learn from hold real numbers, got {values.dtype} of shape {values.shape}.")
    return pa.FixedShapeTensorArray.from_numpy_ndarray(np.ascontiguousarray(values))


def is_tensor(column_type: pa.DataType) -> bool:
    """True for a column of arrays."""
    return isinstance(column_type, pa.FixedShapeTensorType)


def tensor_shape(column_type: pa.DataType) -> tuple[int, ...]:
    """Of one array of the column."""
    return tuple(column_type.shape)


def tensor_values(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """All arrays of a column, flat: shape (n_rows, n_numbers)."""
    n_numbers = int(np.prod(tensor_shape(column.type)))
    chunks = [chunk.storage.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks]
    flat = chunks[0] if len(chunks) == 1 else np.concatenate(chunks) if chunks else np.empty(0)
    return flat.reshape(len(column), n_numbers)


def channel_axis(shape: tuple[int, ...], *, is_bytes: bool) -> int | None:
    """The dimension of an example whose entries are measured each on a scale of its own.

    The colours of an image, the features of a sequence (time, features); none of an image of bytes without colours,
    and of what has more dimensions.

    >>> channel_axis((50, 3), is_bytes=False), channel_axis((28, 28), is_bytes=True)
    (1, None)
    """
    if len(shape) == 3:
        return 2 if has_channels_last((shape[0], shape[1], shape[2])) else 0
    return 1 if len(shape) == 2 and not is_bytes else None
