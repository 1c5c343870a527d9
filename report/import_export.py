"""Import and export of studies: carries them between other tools' languages (`integrations`) and a store."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pegbox.integrations.hyperopt_import import read_hyperopt
from pegbox.storage.import_study import write_study
from pegbox.storage.layout import StoreLayout
from pegbox.storage.trial_rows import trial_rows


def import_optuna(store: StoreLayout, storage: str, study: str | None = None, name: str | None = None) -> int:
    """Take a study over from an Optuna storage; the arguments are those of `read_optuna`.

    Returns:
        The number of trials.

    Raises:
        NotFoundError: The storage holds no such study.
        StoreError: The storage cannot be read, or the store holds a study of that name already.
    """
    # Imported here, because Optuna is an extra, and its absence is to be told by the command that needs it alone.
    from pegbox.integrations.optuna_import import read_optuna

    return write_study(store, read_optuna(storage, study, name))


def import_hyperopt(
    store: StoreLayout, documents: Sequence[Mapping[str, Any]], name: str, space: Mapping[str, Any] | None = None
) -> int:
    """Take the trials of a Hyperopt search over; the arguments are those of `read_hyperopt`.

    Returns:
        The number of trials.

    Raises:
        StoreError: A document is not one of Hyperopt's, or the store holds a study of that name already.
    """
    return write_study(store, read_hyperopt(documents, name, space))


def export_optuna(root: Path, study: str, storage: str) -> int:
    """Write a study into an Optuna storage, under its name; trials whose life goes on are left out.

    Args:
        root: The store's directory.
        study: Its name.
        storage: A database URL, or the path of an SQLite file (`.db`) or of a journal file.

    Returns:
        The number of trials.

    Raises:
        NotFoundError: The store holds no such study.
        StoreError: The storage holds a study of that name already, or cannot be written.
    """
    from pegbox.integrations.optuna_export import write_optuna

    return write_optuna(*trial_rows(root, study), storage)
