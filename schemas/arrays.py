"""Prepared data as arrays in memory (or memory-mapped); written and opened by `datasets`, consumed by `training`."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pegbox.schemas.data import PreparedData


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one part: training, validation or test.

    Attributes:
        numeric: Shape (n_rows, n_numeric), float32, standardised with the training part's mean and deviation.
        categorical: Shape (n_rows, n_categorical), int64 codes; 0 is missing or never seen in training.
        target: Shape (n_rows,), int64 class codes, or float64 in the target's own units.
    """

    # float32 is what models compute in, and half the bytes to map.
    numeric: npt.NDArray[np.float32]
    categorical: npt.NDArray[np.int64]
    target: npt.NDArray[np.int64] | npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.target)


@dataclass(frozen=True, slots=True)
class Splits:
    """One fold of prepared data; `test` is None where no rows were held out."""

    info: PreparedData
    train: Part
    valid: Part
    test: Part | None = None
    whole: Part | None = None
    """All training rows, where `train` holds some of them."""

    @property
    def target_scale(self) -> tuple[float, float]:
        """Location and scale of a regression target among all training rows; 0 and 1 for classes."""
        if self.info.task == "classification":
            return 0.0, 1.0
        target = (self.whole or self.train).target
        # In float64: a float32 sum over many rows loses the digits that the spread consists of.
        return float(target.mean(dtype=np.float64)), float(target.std(dtype=np.float64)) or 1.0
