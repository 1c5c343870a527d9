"""Data that a function of the user returns: a data frame, an arrow table, (X, y), a mapping, a torch Dataset."""

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pegbox.datasets.numpy_files import EXAMPLES
from pegbox.datasets.source import Loaded
from pegbox.datasets.tensor_columns import tensor_column
from pegbox.datasets.torch_dataset import is_of_torch, stacked_examples
from pegbox.schemas.errors import DataError, suggest

_EXPECTED = (
    "a pandas or polars data frame, a pyarrow table, a pair (X, y), a mapping from column name to values, or a torch "
    "Dataset or DataLoader of pairs"
)


@dataclass(frozen=True, slots=True)
class FunctionSource:
    """`module:function`, found from the working directory or the installed packages, called without arguments.

    Attributes:
        path: The import path.
        key: Where the study names it, for messages.
    """

    path: str
    key: str = "data.source"
    target: None = None

    def digest(self) -> None:
        """Only the rows that the function returns can tell whether they changed."""
        return

    def columns(self) -> None:
        """Only calling the function can tell."""
        return

    def load(self) -> Loaded:
        """Call the function.

        Raises:
            DataError: It cannot be imported, it raised, or it returned something else than data.
        """
        returned = self.call()
        try:
            return _loaded(returned)
        except (TypeError, ValueError, pa.ArrowException) as error:
            raise DataError(
                f"{self.key}: {self.path} must return {_EXPECTED}, got {type(returned).__name__}: {error}"
            ) from error

    def call(self) -> Any:
        """What the function returns.

        Raises:
            DataError: It cannot be imported, or it raised.
        """
        with _importing_from_working_directory():
            function = _find(self.path, self.key)
            try:
                return function()
            # Whatever the user's code raises: it is his, and no fault of pegbox that wants a traceback of ours.
            except Exception as error:
                raise DataError(f"{self.key}: {self.path} raised {type(error).__name__}: {error}") from error

    def find(self) -> Callable[[], Any]:
        """Import the function without calling it.

        Raises:
            DataError: There is no such module or function, or importing it fails.
        """
        with _importing_from_working_directory():
            return _find(self.path, self.key)


@contextmanager
def _importing_from_working_directory() -> Iterator[None]:
    """An installed command does not look for modules where the user stands."""
    here = str(Path.cwd())
    # First, as `python -m` has it: the file beside the study is meant, not an installed package of its name.
    sys.path.insert(0, here)
    # A module that was written since the start of this process is else not seen.
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(here)


def _find(path: str, key: str) -> Callable[[], Any]:
    module_name, _, name = path.partition(":")
    try:
        found: Any = importlib.import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
    except ModuleNotFoundError as error:
        raise DataError(_missing_module(path, key, error)) from error
    except AttributeError as error:
        known = [each for each in vars(sys.modules[module_name]) if not each.startswith("_")]
        raise DataError(f"{key}: {module_name} has no {name!r}. {suggest(name, known)}") from error
    except Exception as error:
        raise DataError(f"{key}: importing {module_name} raised {type(error).__name__}: {error}") from error
    if not callable(found):
        raise DataError(f"{key}: {path} must be a function that returns the data, got {found!r}.")
    return found  # type: ignore[no-any-return]


def _missing_module(path: str, key: str, error: ModuleNotFoundError) -> str:
    module_name = path.partition(":")[0]
    if error.name is not None and not f"{module_name}.".startswith(f"{error.name}."):
        return f"{key}: importing {module_name} needs the module {error.name!r}, which is not installed."
    scripts = ", ".join(sorted(script.stem for script in Path.cwd().glob("*.py"))) or "no module"
    return (
        f"{key}: no module {error.name!r} for {path!r} in {Path.cwd()} (which holds {scripts}) or among the "
        "installed packages. Run pegbox from the directory that holds it."
    )


def _loaded(returned: Any) -> Loaded:
    if is_of_torch(returned):
        return _pair(*stacked_examples(returned))
    if isinstance(returned, tuple) and len(returned) == 2:
        return _pair(*returned)
    return Loaded(as_table(returned))


def _pair(features: Any, target: Any) -> Loaded:
    """Data as scikit-learn takes it; an array of more than two dimensions holds images or sequences, in one column."""
    table = as_table(features) if _is_tabular(features) else _table_of(np.asarray(features))
    return Loaded(table.append_column("target", _column(target)), target="target")


def _table_of(array: npt.NDArray[Any]) -> pa.Table:
    """As an `.npy` file of it would be read."""
    if array.ndim < 2:
        raise ValueError(f"X must have a row for each example, got an array of shape {array.shape}.")
    if array.ndim > 2:
        return pa.table({EXAMPLES: _column(array)})
    return pa.table([_column(column) for column in array.T], [f"{EXAMPLES}{i}" for i in range(array.shape[1])])


def _is_tabular(data: Any) -> bool:
    return isinstance(data, (pa.Table, Mapping)) or hasattr(data, "__arrow_c_stream__") or _is_pandas(data)


def _is_pandas(data: Any) -> bool:
    return type(data).__module__.partition(".")[0] == "pandas" and type(data).__name__ == "DataFrame"


def as_table(data: Any) -> pa.Table:
    """A data frame, an arrow table or a mapping of columns as a table.

    Raises:
        TypeError, ValueError, pyarrow.ArrowException: It is none of them, or a column holds what no column can.
    """
    if isinstance(data, pa.Table):
        return data
    if isinstance(data, Mapping):
        return pa.table([_column(values) for values in data.values()], [str(name) for name in data])
    if _is_pandas(data):
        # Column by column: from_pandas of the whole frame would take the index along as one more feature, and names
        # that are no text would fail.
        return pa.table([_column(data.iloc[:, i]) for i in range(data.shape[1])], [str(name) for name in data.columns])
    if hasattr(data, "__arrow_c_stream__"):
        return pa.table(data)
    raise TypeError(f"{data!r:.80} is none of them.")


def _column(values: Any) -> pa.Array | pa.ChunkedArray:
    """A column of one dimension, in which NaN counts as missing, or of an array in each row."""
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values
    if not hasattr(values, "dtype"):
        values = list(values)
    elif not hasattr(values, "iloc"):
        values = np.asarray(values)
        if values.ndim > 2:
            return tensor_column(values)
    # NaN is how numpy and pandas write that nothing is there.
    return pa.array(values, from_pandas=True)
