"""Prepared data as scikit-learn reads it: one matrix, categories one-hot; a worker keeps the last few folds."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from pegbox.schemas.arrays import Part, Splits


@dataclass(frozen=True, slots=True)
class EstimatorPart:
    """Rows of one part.

    Attributes:
        inputs: Numeric columns, then a column for each category, shape (n_rows, n_inputs), float32.
        target: Class codes, or numbers in their own units, shape (n_rows,).
    """

    inputs: npt.NDArray[np.float32]
    target: npt.NDArray[Any]


class _ByKey:
    """Lets `lru_cache` keep a fold under its name instead of its arrays."""

    def __init__(self, data: Splits, fold: int, part: str) -> None:
        self.data, self.part = data, part
        self.key = (data.info.fingerprint, fold, part)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByKey) and self.key == other.key


def estimator_part(data: Splits, fold: int, part: str) -> EstimatorPart | None:
    """The rows of a part; None where the data has no such part."""
    return _load(_ByKey(data, fold, part)) if getattr(data, part) is not None else None


# Five folds of three parts each.
@lru_cache(maxsize=15)
def _load(wanted: _ByKey) -> EstimatorPart:
    part: Part = getattr(wanted.data, wanted.part)
    inputs = estimator_inputs(np.asarray(part.numeric), part.categorical, wanted.data.info.cardinalities)
    return EstimatorPart(inputs, np.array(part.target))


def estimator_inputs(
    numeric: npt.NDArray[np.float32], categorical: npt.NDArray[np.int64], cardinalities: tuple[int, ...]
) -> npt.NDArray[np.float32]:
    """Numbers, then a column for each category, shape (n_rows, n_inputs)."""
    columns = [numeric]
    for column, cardinality in enumerate(cardinalities):
        columns.append((categorical[:, column, None] == np.arange(cardinality)).astype(np.float32))
    return np.hstack(columns)
