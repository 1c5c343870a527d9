"""Reads the documents of a Hyperopt `Trials` object from a file; runs no code of a pickle, needs no Hyperopt."""

import io
import json
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pegbox.schemas.errors import StoreError

_HARMLESS = {
    # Old pickle protocols write bytes as an encoded text.
    "_codecs": {"encode"},
    "builtins": {"bytearray", "complex", "frozenset", "set"},
    "collections": {"OrderedDict"},
    "datetime": {"date", "datetime", "timedelta", "timezone"},
    "numpy": {"dtype", "ndarray"},
    # Each under two names, because NumPy 2 renamed numpy.core; losses and drawn values are often scalars of NumPy.
    "numpy.core.multiarray": {"_reconstruct", "scalar"},
    "numpy._core.multiarray": {"_reconstruct", "scalar"},
    "numpy._core.numeric": {"_frombuffer"},
    "numpy.core.numeric": {"_frombuffer"},
}
"""Modules to what a pickle may load from them: values, nothing that acts."""


class _Trials:
    """Stands in for Hyperopt's object, of which only the documents are wanted."""


def read_documents(path: Path) -> Sequence[Mapping[str, Any]]:
    """The documents of a search.

    Args:
        path: JSON where it ends in `.json`, otherwise a pickle, of `trials.trials` or of the `Trials` object.

    Raises:
        StoreError: The file cannot be read, or holds something else.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StoreError(f"The file {str(path)!r} cannot be read: {(error.strerror or str(error)).lower()}.") from error
    try:
        found = json.loads(content) if path.suffix == ".json" else _Unpickler(io.BytesIO(content)).load()
    except StoreError:
        raise
    except Exception as error:  # a damaged pickle fails in many ways
        raise StoreError(
            f"The file {str(path)!r} must hold Hyperopt's documents, as JSON or as a pickle, but could not be read: "
            f"{error}. Write it with `pickle.dump(trials.trials, file)`."
        ) from error
    # Hyperopt's own name for all documents; its public `trials` is computed from these by code that is not run here.
    documents = vars(found).get("_dynamic_trials") if isinstance(found, _Trials) else found
    if not isinstance(documents, list) or not all(isinstance(document, Mapping) for document in documents):
        raise StoreError(
            f"The file {str(path)!r} must hold a list of Hyperopt's documents, got {type(found).__name__}. Write it "
            "with `pickle.dump(trials.trials, file)`."
        )
    return documents


class _Unpickler(pickle.Unpickler):
    """Loads values only."""

    def find_class(self, module: str, name: str) -> Any:
        """What a pickle asks for by name, where that is harmless."""
        if module == "hyperopt.base" and name == "Trials":
            return _Trials
        # An allow list, as the documentation of pickle advises ("Restricting Globals"): a list of what is dangerous is
        # never whole.
        if name in _HARMLESS.get(module, ()):
            return super().find_class(module, name)
        raise StoreError(
            f"The pickle holds {module}.{name}, which is not loaded, because a pickle may run any code. Write plain "
            "documents, as with `json.dump(trials.trials, file, default=str)`."
        )
