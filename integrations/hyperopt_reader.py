"""The process that a file of Hyperopt's is read in: values alone, bounded in memory and time, then its end.

A program of its own that imports nothing of pegbox. A pickle of a few bytes may ask for terabytes, or hold lists that
stand in each other so that their text is longer than any memory. It is told the file on its command line, and writes
what it found as JSON: `{"documents": ...}`, or `{"refused": ...}` in words.
"""

import contextlib
import datetime
import io
import json
import os
import pickle
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Picked by hand, far above what a search leaves: 50,000 trials with 30 parameters are some 8 million values.
MOST_VALUES = 10_000_000
# Picked by hand: names and numbers are shorter, and a longer text takes as much memory as so many values.
CHARACTERS_OF_A_VALUE = 16
MEMORY_BYTES = 4 << 30
"""Of addresses; what the Python program and NumPy take is less than half a GiB of it."""
CPU_SECONDS = 120

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


_CONTAINERS = (Mapping, list, tuple, set, frozenset)


class RefusedError(Exception):
    """Why the file is not read, in words."""


class _Trials:
    """Stands in for Hyperopt's object, of which only the documents are wanted."""


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
        raise RefusedError(
            f"The pickle holds {module}.{name}, which is not loaded, because a pickle may run any code. Write plain "
            "documents, as with `json.dump(trials.trials, file, default=str)`."
        )


def _weight(value: Any, known: dict[int, int]) -> int:
    """How many values of JSON it comes to; what stands in several places is looked at once, and counts as often."""
    if isinstance(value, str | bytes):
        return 1 + len(value) // CHARACTERS_OF_A_VALUE
    if not isinstance(value, _CONTAINERS):
        return int(getattr(value, "size", 1))  # an array's
    if id(value) not in known:
        known[id(value)] = MOST_VALUES + 1  # until it is known: what holds itself has no end
        inner = (*value, *value.values()) if isinstance(value, Mapping) else value
        known[id(value)] = 1 + sum(_weight(one, known) for one in inner)
    return known[id(value)]


def _plain(value: Any) -> Any:
    """The value as JSON has it, or the name of its kind."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, _CONTAINERS):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if hasattr(value, "tolist"):  # a scalar or an array of NumPy
        return _plain(value.tolist())
    return value if isinstance(value, bool | int | float | str | None) else type(value).__name__


def main() -> None:
    """Read the file that the command line names, and say what it holds."""
    _confine()
    try:
        answer = {"documents": _documents(Path(sys.argv[1]))}
    except RefusedError as error:
        answer = {"refused": str(error)}
    except RecursionError:
        answer = {"refused": "Its values stand in each other too deep."}
    except MemoryError:
        os._exit(1)  # in words by who asked: none is left for them here
    except Exception as error:  # noqa: BLE001 - a damaged pickle fails in many ways
        answer = {"refused": f"It could not be read: {error}"[:500]}
    print(json.dumps(answer))


def _confine() -> None:
    """Take from this process the right to grow, to write files and to compute for long."""
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # the user's own limit is lower
            resource.setrlimit(limit, (most, most))


def _documents(path: Path) -> Any:
    content = path.read_bytes()
    found = json.loads(content) if path.suffix == ".json" else _Unpickler(io.BytesIO(content)).load()
    # Hyperopt's own name for all documents; its public `trials` is computed from these by code that is not run here.
    documents = vars(found).get("_dynamic_trials") if isinstance(found, _Trials) else found
    if not isinstance(documents, list) or not all(isinstance(document, Mapping) for document in documents):
        raise RefusedError(f"It must hold a list of Hyperopt's documents, got {type(found).__name__}.")
    if _weight(documents, {}) > MOST_VALUES:
        raise RefusedError(f"It holds more than {MOST_VALUES:,} values; what stands in several places counts as often.")
    return _plain(documents)


if __name__ == "__main__":
    main()
