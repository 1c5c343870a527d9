"""The names of models: `study`, `study@current`, `study@RUN`, or a path; opens none."""

from pathlib import Path

from pegbox.schemas.errors import ModelError, suggest
from pegbox.storage.layout import StoreLayout
from pegbox.storage.model_files import CURRENT, LATEST, SUFFIX, model_path, runs_of

STANDING = "@"
"""Between the name of a study and which of its models is meant."""


def find_model(store: StoreLayout, name: str) -> Path:
    """The file of a model by its name: `study` (the newest), `study@current`, `study@RUN`, or a path to a file.

    Raises:
        ModelError: There is no such model; the message names those that there are.
    """
    as_path = Path(name)
    if name.endswith(SUFFIX) or as_path.is_file():
        if not as_path.is_file():
            raise ModelError(f"There is no file {name!r}. Give the path of a model's file, or the name of a study.")
        return as_path
    whole = model_path(store, name, LATEST)
    if whole.is_file():
        return whole
    study, separator, which = name.rpartition(STANDING)
    # The name of a study may hold the sign itself, as those that a schedule tunes do.
    if separator and (path := model_path(store, study, which)).is_file():
        return path
    raise ModelError(_why_none(store, name, study if separator else name))


def _why_none(store: StoreLayout, name: str, study: str) -> str:
    if not store.models.is_dir():
        return (
            f"There is no model {name!r}: the store {str(store.root)!r} holds no models. Run the study first, or name "
            "its store."
        )
    standing = [which for which in (CURRENT, LATEST) if model_path(store, study, which).is_file()]
    known = [*standing, *runs_of(store, study)]
    if known:
        return f"There is no model {name!r}. {suggest(name.rpartition(STANDING)[2], known)}"
    folders = sorted(path.name for path in store.models.iterdir() if path.is_dir())
    return f"There is no model {name!r} in {str(store.root)!r}. {suggest(name, folders)}"
