"""Imports a user's code by its import path, which runs it; what reads it without running it is `sources`."""

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from pegbox.schemas.failure import FailureKind
from pegbox.training.failures import failed


def import_function(import_path: str) -> Callable[..., Any]:
    """The function of `module:name`, found from the working directory or the installed packages.

    Raises:
        TrialError: There is no such module or name, or it cannot be called.
    """
    module_name, _, name = import_path.partition(":")
    directory = str(Path.cwd())
    if directory not in sys.path:
        sys.path.insert(0, directory)
    try:
        found: Any = import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise  # something that the module itself imports
        raise failed(FailureKind.INVALID, f"the module {module_name!r} was not found from {directory}.") from error
    except AttributeError as error:
        if getattr(error, "name", None) not in name.split("."):
            raise
        raise failed(FailureKind.INVALID, f"the module {module_name!r} has no {name!r}.") from error
    if not callable(found):
        raise failed(FailureKind.INVALID, f"{import_path} must be a function, got {found!r:.200}.")
    return found  # type: ignore[no-any-return]
