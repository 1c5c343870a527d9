"""pegbox: hyperparameter tuning as a declarative, resumable flow with one history.

The rooms (cli, flows, tasks, ...) stand at the top of the repository and are linked here, so that everything is
imported as `pegbox.<room>` and never clashes with a user's own `flows/` or `tasks/`.
"""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

if not (Path(__file__).parent / "flows").is_dir():
    # A checkout that lost its symbolic links (a zip download, Windows): the rooms are two folders up.
    __path__.append(str(Path(__file__).parents[2]))

try:
    __version__ = version("pegbox")
except PackageNotFoundError:  # run from a checkout that is not installed
    __version__ = "0+unknown"

__all__ = ["__version__"]


def __getattr__(name: str) -> Any:
    """`pegbox.open(store)` opens a history for reading; loaded when it is asked for, because DuckDB takes a while."""
    if name == "open":
        from pegbox.storage.history_file import open_history

        return open_history
    raise AttributeError(f"module 'pegbox' has no attribute {name!r}")
