"""The inputs of prepared rows in their own units, so that two states of one source can be set side by side."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class RawInputs:
    """Columns of one part, each of shape (n_rows,).

    Attributes:
        numbers: By name; where a value is missing, what was filled in, and 1 in a column of its own that says so.
        categories: By name, as words; `(missing)` where there is none, or none that was learned.
    """

    numbers: Mapping[str, npt.NDArray[np.float64]]
    categories: Mapping[str, npt.NDArray[np.str_]]

    def __len__(self) -> int:
        columns = (*self.numbers.values(), *self.categories.values())
        return len(columns[0]) if columns else 0
