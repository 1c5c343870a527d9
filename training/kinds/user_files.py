"""The files behind an import path or a command of the user's, for the fingerprint of the code."""

import sys
from collections.abc import Sequence
from pathlib import Path

from pegbox.training.sources import local_files, module_file

LARGEST_FILE_BYTES = 10_000_000
"""A larger argument of a command is data, not code, and hashing it would delay every start."""


def files_of_import(import_path: str) -> tuple[Path, ...]:
    """The module's own file, if it lies below the working directory or outside Python's own, and what it imports."""
    module = import_path.partition(":")[0]
    file = module_file(module)
    if file is None or "site-packages" in file.parts or file.is_relative_to(sys.base_prefix):
        return ()
    return local_files(file, module, Path.cwd())


def files_of_command(command: Sequence[str]) -> tuple[Path, ...]:
    """The files that its arguments name; of a Python program also what it imports."""
    files: dict[Path, None] = {}
    for argument in command:
        path = Path(argument)
        try:
            if path.suffix == ".py" and path.is_file():
                files.update(dict.fromkeys(local_files(path, path.stem, Path.cwd())))
            elif path.is_file() and path.stat().st_size < LARGEST_FILE_BYTES:
                files[path] = None
        except (OSError, ValueError):  # an argument that no path can be: too long, or with a null byte
            continue
    return tuple(files)
