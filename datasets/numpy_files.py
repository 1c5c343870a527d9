"""Arrays in numpy's own files: `.npz` with examples and targets, or `.npy` with the targets in a file beside it."""

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pegbox.datasets.source import Loaded
from pegbox.datasets.tensor_columns import NUMBERS, tensor_column
from pegbox.schemas.data import DataSpec
from pegbox.schemas.errors import DataError, suggest

ARRAYS = (".npy", ".npz")
"""Endings of the files."""

EXAMPLES = "x"
"""The name of the array that an `.npy` file holds."""

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class NumpyFile:
    """One file of arrays whose first dimension counts the examples.

    Of an `.npz` file each array of one dimension is a column, each of two dimensions as many columns as it is wide,
    and each of more dimensions a column of arrays. An `.npy` file holds the examples alone; `data.target` names the
    file of the targets, beside it.
    """

    spec: DataSpec
    target: None = None

    @property
    def path(self) -> Path:
        """Where it lies."""
        return Path(self.spec.source)

    def digest(self) -> str:
        """A hash of the bytes of the file, and of that of the targets."""
        hashed = hashlib.sha256()
        for path in self._files():
            try:
                with path.open("rb") as file:
                    hashed.update(hashlib.file_digest(file, "sha256").digest())
            except OSError as error:
                raise _unreadable(path, error) from error
        return hashed.hexdigest()

    def columns(self) -> tuple[str, ...]:
        """Names of the columns; the arrays are mapped, or their heads read, and no more."""
        return tuple(self.load().table.column_names)

    def load(self) -> Loaded:
        """Read all arrays.

        Raises:
            DataError: A file is not there or damaged, holds Python objects, or arrays of several lengths.
        """
        arrays = self._arrays()
        for name, array in arrays.items():
            _check(name, array, arrays, self.spec)
        columns: dict[str, pa.Array] = {}
        told: dict[str, str] = {}
        for name, array in arrays.items():
            if array.ndim == 1:
                columns[name] = pa.array(array, from_pandas=True)
            elif array.shape[1:] == (1,):
                columns[name] = pa.array(array[:, 0], from_pandas=True)
            elif array.ndim == 2:
                columns |= {f"{name}{i}": pa.array(array[:, i], from_pandas=True) for i in range(array.shape[1])}
            else:
                columns[name] = tensor_column(array)
                told[name] = f"arrays of shape {array.shape[1:]}, {array.dtype}"
        return Loaded(pa.table(columns), told=told)

    def examples(self) -> pa.Table:
        """The columns for a model that is asked about them; the targets need not be there."""
        if self.path.suffix.lower() == ".npz":
            return self.load().table
        alone = self.spec.model_copy(update={"target": None})
        return NumpyFile(alone).load().table

    def _files(self) -> tuple[Path, ...]:
        beside = self._file_of_targets()
        return (self.path,) if beside is None else (self.path, beside)

    def _file_of_targets(self) -> Path | None:
        if self.path.suffix.lower() == ".npz" or self.spec.target is None:
            return None
        if not self.spec.target.lower().endswith(".npy"):
            raise DataError(
                f"data.target: an .npy file holds one array, so that the targets of {self.spec.source!r} are in a file "
                f"of their own, got {self.spec.target!r}. Name it, such as `target: y.npy`, or write both into an .npz "
                "file with numpy.savez."
            )
        return self.path.parent / self.spec.target

    def _arrays(self) -> Mapping[str, Array]:
        if self.path.suffix.lower() == ".npz":
            return _archive(self.path)
        beside = self._file_of_targets()
        # By one name whatever the file is called: a model is asked about others.
        examples = {EXAMPLES: _array(self.path)}
        return examples if beside is None else {**examples, self.spec.target or "": _array(beside)}


_ERRORS = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile)
"""What numpy raises of files that are damaged, or none of its own."""


def _array(path: Path) -> Array:
    """A file of one array, mapped; never a pickle, which may run code.

    Raises:
        DataError: It cannot be read.
    """
    try:
        found: Array = np.load(path, mmap_mode="c", allow_pickle=False)
    except _ERRORS as error:
        raise _unreadable(path, error) from error
    if not isinstance(found, np.ndarray):
        raise _unreadable(path, ValueError("it holds several arrays; name it .npz"))
    return found


def _archive(path: Path) -> dict[str, Array]:
    """All arrays of a file of several."""
    try:
        # Opened here: numpy leaves the file open where it is no archive.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except _ERRORS as error:
        raise _unreadable(path, error) from error
    except AttributeError as error:  # a plain array has neither files nor an end
        raise _unreadable(path, ValueError("it holds one array; name it .npy")) from error


def _check(name: str, array: Array, arrays: Mapping[str, Array], spec: DataSpec) -> None:
    """Whether an array can be columns.

    Raises:
        DataError: It cannot.
    """
    counts = {one: len(other) for one, other in arrays.items() if other.ndim}
    if array.ndim == 0 or len(set(counts.values())) > 1:
        lengths = ", ".join(f"{one} of shape {other.shape}" for one, other in arrays.items())
        raise DataError(
            f"data.source: the arrays of {spec.source!r} must have one row for each example, got {lengths}. Write "
            "those of the examples and their targets alone."
        )
    may_be_texts = array.ndim < 3
    if array.dtype.kind not in NUMBERS + ("USM" if may_be_texts else ""):
        raise DataError(
            f"data.source: {name!r} of {spec.source!r} holds {array.dtype}, expected numbers"
            f"{' or texts' if may_be_texts else ''}. Turn it into real numbers."
        )
    if spec.target == name and array.ndim > 1 and array.shape[1:] != (1,):
        raise DataError(f"data.target: {name!r} has shape {array.shape}, expected one value for each example.")


def _unreadable(path: Path, error: Exception) -> DataError:
    if isinstance(error, FileNotFoundError):
        beside = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
        return DataError(f"data.source: there is no file {str(path)!r}. {suggest(path.name, beside)}")
    said = " ".join(str(error).split())[:200]
    if "Object arrays" in said:
        said = "it holds Python objects, which are read by running code; save arrays of numbers or texts"
    elif "pickle" in said:  # what numpy says of every file of another kind
        said = "it is no file that numpy.save or numpy.savez wrote"
    return DataError(f"data.source: {str(path)!r} cannot be read: {said}.")
