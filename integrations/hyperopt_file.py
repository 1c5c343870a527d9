"""Reads the documents of a Hyperopt `Trials` object from a file; runs no code of a pickle, needs no Hyperopt."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pegbox.schemas.errors import StoreError

# Picked by hand: documents of 100,000 trials are some 100 MiB.
MOST_BYTES = 512 << 20
REMEDY = (
    "Write it with `pickle.dump(trials.trials, file)`, or as JSON with `json.dump(trials.trials, file, default=str)`."
)


def read_documents(path: Path) -> Sequence[Mapping[str, Any]]:
    """The documents of a search, with values of JSON alone.

    The file is read in a process of its own (`hyperopt_reader`), which has little memory and little time: it may come
    from anybody.

    Args:
        path: JSON where it ends in `.json`, otherwise a pickle, of `trials.trials` or of the `Trials` object.

    Raises:
        StoreError: The file cannot be read, or holds something else.
    """
    _check_size(path)
    program = Path(__file__).with_name("hyperopt_reader.py")
    said = subprocess.run(  # noqa: S603 - our own program
        # -P: nothing that lies beside the program or where the user stands is imported instead of Python's own.
        [sys.executable, "-P", str(program), str(path.absolute())],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        # Each thread of NumPy's would reserve addresses, of which the process has few.
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"},
    )
    if said.returncode != 0:
        raise StoreError(
            f"The file {str(path)!r} asks for more memory or time than documents of a search take, so it was not "
            f"read. {REMEDY}"
        )
    answer = json.loads(said.stdout)
    if "refused" in answer:
        raise StoreError(f"The file {str(path)!r} cannot be taken over. {answer['refused'].rstrip('.')}. {REMEDY}")
    documents: Sequence[Mapping[str, Any]] = answer["documents"]
    return documents


def _check_size(path: Path) -> None:
    try:
        size = path.stat().st_size
        path.open("rb").close() if path.is_file() else None
    except OSError as error:
        raise StoreError(f"The file {str(path)!r} cannot be read: {(error.strerror or str(error)).lower()}.") from error
    if not path.is_file():  # a named pipe would be waited for
        raise StoreError(f"Expected a file of Hyperopt's documents at {str(path)!r}, but what lies there is no file.")
    if size > MOST_BYTES:
        raise StoreError(
            f"The file {str(path)!r} has {size >> 20} MiB, and documents of at most {MOST_BYTES >> 20} MiB are read. "
            "Write fewer trials, without attachments."
        )
