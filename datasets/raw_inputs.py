"""Reads prepared rows back into the units of their source: undoes the scaling and the codes of categories."""

from pathlib import Path
from typing import Literal

import numpy as np

from pegbox.datasets.prepare import find_prepared
from pegbox.datasets.prepared import open_prepared
from pegbox.datasets.preprocessing import read_preprocessing
from pegbox.schemas.errors import DataError
from pegbox.schemas.raw_inputs import RawInputs

MISSING = "(missing)"


def raw_inputs(root: Path, fingerprint: str, part: Literal["train", "valid"]) -> RawInputs | None:
    """The inputs of a part of the first fold; None where the prepared data is gone, or holds images or sequences.

    Args:
        root: The directory that holds prepared data.
        fingerprint: Of the prepared data.
        part: Of its rows.
    """
    try:
        data = find_prepared(root, fingerprint)
        if data is None or data.shape is not None:
            return None
        made, rows = read_preprocessing(data, 0), getattr(open_prepared(data, 0), part)
    except DataError:  # of another version; nobody trains on it any more
        return None
    deviations = np.array([np.nan if one is None else one for one in made.deviations])
    # The numbers of free text stand behind them, and are no columns of the source.
    numbers = rows.numeric[:, : len(made.means)] * np.nan_to_num(deviations) + np.array(
        made.means
    )  # a constant column is written as zeros
    return RawInputs(
        numbers={name: numbers[:, place] for place, name in enumerate(data.numeric[: len(made.means)])},
        categories={
            feature.name: np.array([MISSING, *feature.levels])[rows.categorical[:, place]]
            for place, feature in enumerate(made.categorical)
        },
    )
