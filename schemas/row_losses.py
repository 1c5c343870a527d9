"""What a model lost on each row that it was measured on: by it a change that counts is told from the noise of rows."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class RowLosses:
    """One metric of a trained model, row by row.

    Attributes:
        values: Shape (n_values,), float64; their mean is the metric, in its own units. One for each row or, of a metric
            that is no mean over rows (F1, an area), jackknife pseudo-values of groups of rows.
        n_rows: On which it was measured.
        n_train: From which the model learned.
        data: Fingerprint of the data: rows of the same one, in the same place, are the same.
    """

    values: npt.NDArray[np.float64]
    n_rows: int
    n_train: int
    data: str
