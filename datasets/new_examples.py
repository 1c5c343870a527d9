"""Further examples for a model of pictures or of sequences: arrays of its shape, or files that are decoded to it."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import types

from pegbox.datasets.column_types import Kind, kind_of
from pegbox.datasets.picture_sources import ImageFolder
from pegbox.datasets.pictures import Reading, decoded
from pegbox.datasets.tensor_columns import is_tensor, tensor_column, tensor_shape, tensor_values
from pegbox.schemas.data import DataSpec
from pegbox.schemas.errors import DataError
from pegbox.schemas.preprocessing import ExampleArrays, Preprocessing

Array = npt.NDArray[Any]


# Picked by hand: fills what training measures in at once, and stays in the caches of a processor.
BATCH_ROWS = 65_536
"""Rows of a piece; memory holds no more, whatever the length of the source."""
# Picked by hand: 64 MB of doubles, for a picture is as long as a thousand rows of a table.
BATCH_CELLS = 8_000_000
"""Numbers of a piece of examples that are arrays."""


def batch_rows(how: Preprocessing) -> int:
    """Rows that a model is asked about at a time."""
    if how.example is None or how.shape is None:
        return BATCH_ROWS
    return min(BATCH_ROWS, max(1, BATCH_CELLS // math.prod(how.shape)))


def read_examples(column: pa.ChunkedArray, how: Preprocessing, first_row: int) -> Array:
    """A column of arrays, of paths, or of the bytes of files, shape (n_rows, n_numbers).

    Args:
        first_row: How many rows came before, so that rows are told by their place in the whole.

    Raises:
        DataError: It holds something else, or a picture cannot be read.
    """
    example = _example_of(how)
    if is_tensor(column.type):
        values = tensor_values(column)
        return read_arrays(values.reshape(len(column), *tensor_shape(column.type)), how)
    is_file = kind_of(column.type) is Kind.TEXT or types.is_binary(column.type) or types.is_large_binary(column.type)
    if not is_file or example.mode is None:
        expected = _expected(how)
        raise DataError(
            f"rows: the column {example.column!r} must hold {expected}, got {column.type}. Turn it into them."
        )
    if column.null_count:
        raise DataError(f"rows: {example.column!r} is missing in {column.null_count} rows. Leave these rows out.")
    held = column.to_pylist()
    names = [one if isinstance(one, str) else f"row {first_row + place + 1}" for place, one in enumerate(held)]
    return _decoded(held, names, how)


def read_arrays(rows: Array, how: Preprocessing) -> Array:
    """Arrays of the model's shape, or pictures of another size, shape (n_rows, n_numbers).

    Raises:
        DataError: They are of another shape, or hold what is not finite.
    """
    example, shape = _example_of(how), how.shape or ()
    if rows.shape[1:] == shape or rows.shape[1:] == (int(np.prod(shape)),):
        flat = rows.reshape(len(rows), int(np.prod(shape)))
    elif example.mode is not None and rows.dtype == np.uint8 and _is_of_pictures(rows):
        flat = _decoded(list(rows), [f"row {place + 1}" for place in range(len(rows))], how)
    else:
        raise DataError(
            f"rows: expected {_expected(how)}, got an array of shape {rows.shape} of {rows.dtype}. Bring it into that "
            "shape."
        )
    if flat.dtype.kind == "f" and not np.isfinite(flat).all():
        raise DataError("rows: the arrays must hold finite numbers. Fill in what is missing.")
    return flat


def listed_examples(rows: str | Path | Sequence[Any], how: Preprocessing) -> pa.Table:
    """A folder, paths, pictures of Pillow's, or mappings of columns, as a table.

    Raises:
        DataError: There is no picture.
    """
    example = _example_of(how)
    if isinstance(rows, str | Path):
        path = Path(rows)
        if path.is_dir():
            paths = ImageFolder(DataSpec(source=str(path))).paths()
            return pa.table({example.column: paths.column(0)})
        return pa.table({example.column: [str(path)]})
    if any(isinstance(one, dict) for one in rows):
        return pa.Table.from_pylist(list(rows))
    if all(isinstance(one, str | Path) for one in rows):
        return pa.table({example.column: pa.array([str(one) for one in rows], pa.string())})
    names = [f"row {place + 1}" for place in range(len(rows))]
    if example.mode is None:
        values = np.stack([np.asarray(one) for one in rows])
    else:
        values = _decoded(rows, names, how).reshape(len(rows), *(how.shape or ()))
    return pa.table({example.column: tensor_column(values)})


def _decoded(sources: Sequence[Any], names: list[str], how: Preprocessing) -> Array:
    mode, shape = _example_of(how).mode, how.shape or ()
    assert mode is not None, "only pictures are decoded"
    pixels = decoded(sources, names, Reading(mode, (shape[0], shape[1])))
    return pixels.reshape(len(names), -1)


def _is_of_pictures(rows: Array) -> bool:
    return rows.ndim == 3 or (rows.ndim == 4 and rows.shape[3] in {3, 4})


def _expected(how: Preprocessing) -> str:
    shape = ", ".join(map(str, how.shape or ()))
    if _example_of(how).mode is None:
        return f"arrays of shape (n, {shape})"
    return f"paths of pictures, or arrays of bytes of shape (n, {shape}) or of another height and width"


def _example_of(how: Preprocessing) -> ExampleArrays:
    assert how.example is not None, "the caller asks for it"
    return how.example
