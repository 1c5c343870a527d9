"""Opens Optuna's storages, of any kind; takes nothing from them but names. Needs the extra `optuna`."""

from pathlib import Path
from typing import Any

from pegbox.schemas.errors import StoreError


def load_optuna() -> Any:
    """The package, told to be quiet.

    Raises:
        StoreError: It is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise StoreError("Optuna's storages need Optuna. Install it with `pip install 'pegbox[optuna]'`.") from error
    # It logs a line for each study and trial, into the middle of what we print.
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def open_storage(place: str) -> Any:
    """An Optuna storage.

    Args:
        place: A database URL, or the path of an SQLite file (`.db`) or of a journal file.

    Raises:
        StoreError: It cannot be opened.
    """
    optuna = load_optuna()
    try:
        if "://" in place:
            return optuna.storages.RDBStorage(place)
        path = Path(place)
        # By the magic of the file format where there is a file: its name is the user's, and journals are called `.db`
        # too.
        is_sqlite = path.read_bytes()[:15] == b"SQLite format 3" if path.exists() else path.suffix in {".db", ".sqlite"}
        if is_sqlite:
            # Absolute, because a URL with three slashes is relative to wherever the process stands.
            return optuna.storages.RDBStorage(f"sqlite:///{path.absolute()}")
        return optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))
    except Exception as error:  # each driver has errors of its own
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise StoreError(f"The Optuna storage {place!r} could not be opened: {said}.") from error


def optuna_studies(storage: str) -> list[str]:
    """Names of the studies of an Optuna storage.

    Raises:
        StoreError: The storage cannot be read.
    """
    optuna = load_optuna()
    there = open_storage(storage)
    try:
        return list(optuna.get_all_study_names(storage=there))
    except Exception as error:  # each driver has errors of its own
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise StoreError(f"The Optuna storage {storage!r} could not be read: {said}.") from error
