"""Opens prepared data as memory-mapped arrays; imports numpy only, for workers start from here."""

from pathlib import Path
from uuid import uuid4

import numpy as np

from pegbox.schemas.arrays import Part, Splits
from pegbox.schemas.data import PreparedData
from pegbox.schemas.errors import DataError
from pegbox.schemas.understanding import DataUnderstanding

ARRAYS = ("numeric", "categorical", "target")
UNDERSTANDING = "understanding.json"


def array_path(directory: Path, fold: int, part: str, array: str) -> Path:
    """Where one array of prepared data lies."""
    return directory / f"fold-{fold}" / f"{part}-{array}.npy"


def read_understanding(directory: Path) -> DataUnderstanding | None:
    """What prepared data was taken for; None where the directory is gone, or an earlier version wrote it."""
    try:
        return DataUnderstanding.model_validate_json((directory / UNDERSTANDING).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def write_understanding(directory: Path, understood: DataUnderstanding) -> None:
    """Keep it beside the data, in one step."""
    # A worker or a page may read it at this moment.
    partial = directory / f".{UNDERSTANDING}-{uuid4().hex}"
    partial.write_text(understood.model_dump_json(indent=2), encoding="utf-8")
    partial.replace(directory / UNDERSTANDING)


def open_prepared(data: PreparedData, fold: int) -> Splits:
    """One fold; rows are read from the disk when they are first used, and shared by all processes that do so.

    Raises:
        DataError: There is no such fold, or a file of it is missing or damaged.
    """
    if not 0 <= fold < data.n_folds:
        raise DataError(f"Prepared data {data.fingerprint} has folds 0 to {data.n_folds - 1}, got fold {fold}.")
    return Splits(
        info=data,
        train=_open_part(data.path, fold, "train"),
        valid=_open_part(data.path, fold, "valid"),
        test=_open_part(data.path, fold, "test") if data.has_test else None,
    )


def _open_part(directory: Path, fold: int, part: str) -> Part:
    paths = [array_path(directory, fold, part, array) for array in ARRAYS]
    try:
        # Copy-on-write, not read-only: torch warns of memory that it may not write to.
        return Part(*(np.load(path, mmap_mode="c") for path in paths))
    except (OSError, ValueError, EOFError) as error:
        raise DataError(
            f"The prepared data in {str(directory)!r} is damaged: {error}. Delete this directory and run the study "
            "again: it will be prepared anew."
        ) from error
