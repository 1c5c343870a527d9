"""pegbox: hyperparameter tuning as a declarative, resumable flow with one history.

The rooms (cli, flows, tasks, ...) stand at the top of the repository and are linked here, so that everything is
imported as `pegbox.<room>` and never clashes with a user's own `flows/` or `tasks/`.
"""

from importlib import import_module
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

_LAZY = {
    "Choice": "pegbox.api.domains:Choice",
    "Const": "pegbox.api.domains:Const",
    "Float": "pegbox.api.domains:Float",
    "Int": "pegbox.api.domains:Int",
    "Study": "pegbox.api.study:Study",
    "StudySpec": "pegbox.schemas.study:StudySpec",
    "current_trial": "pegbox.integrations.trial_link:current_trial",
    "load_model": "pegbox.models.load_model:load_model",
    "objective": "pegbox.api.objective:objective",
    "open": "pegbox.storage.history_file:open_history",
    "read_study": "pegbox.schemas.study_file:read_study",
    "tune": "pegbox.flows.tune:tune",
}
"""What is loaded when it is asked for: a worker or `pegbox --help` must not pay for Prefect and DuckDB."""

__all__ = [  # noqa: F822  the lazy names
    "Choice",
    "Const",
    "Float",
    "Int",
    "Study",
    "StudySpec",
    "__version__",
    "current_trial",
    "load_model",
    "objective",
    "open",
    "read_study",
    "tune",
]


def __dir__() -> list[str]:
    """What there is to use, the lazy names among it; not what this file imports."""
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    """One of the lazy names."""
    if name not in _LAZY:
        raise AttributeError(f"module 'pegbox' has no attribute {name!r}")
    module, _, attribute = _LAZY[name].partition(":")
    return getattr(import_module(module), attribute)
