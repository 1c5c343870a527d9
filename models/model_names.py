"""Where the models of a store lie and what they are called: `study`, `study@current`, `study@RUN`; opens none."""

import hashlib
import os
import re
import shutil
from pathlib import Path
from uuid import uuid4

from pegbox.models.artefact import SUFFIX
from pegbox.schemas.errors import ModelError, suggest
from pegbox.storage.layout import StoreLayout

LATEST, CURRENT = "latest", "current"
"""The newest model of a study, and the one that was promoted."""
STANDING = "@"
"""Between the name of a study and which of its models is meant."""


def model_path(store: StoreLayout, study: str, which: str) -> Path:
    """Where a model of a study lies: of a run, or under one of the two standing names."""
    return _folder(store, study) / f"{which}{SUFFIX}"


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


def put_under(path: Path, standing: Path) -> None:
    """Give a model a standing name in one step: who reads at that moment reads the former or the new one."""
    # A second name of the same file where the file system has them, so that no byte is copied twice.
    partial = standing.with_name(f".{standing.name}.{uuid4().hex}")
    try:
        try:
            os.link(path, partial)
        except OSError:
            shutil.copyfile(path, partial)
        partial.replace(standing)
    finally:
        partial.unlink(missing_ok=True)


def runs_of(store: StoreLayout, study: str) -> tuple[str, ...]:
    """The runs whose models a study keeps."""
    folder = _folder(store, study)
    names = [path.stem for path in folder.glob(f"*{SUFFIX}") if not path.name.startswith(".")]
    return tuple(sorted(name for name in names if name not in {LATEST, CURRENT}))


def _folder(store: StoreLayout, study: str) -> Path:
    """Readable where the name is; a name with other letters, or a long one, is told from its neighbours by a hash."""
    plain = re.sub(r"[^\w.-]", "-", study)[:80].lstrip(".")
    if plain != study:
        plain = f"{plain}-{hashlib.sha256(study.encode()).hexdigest()[:8]}"
    return store.models / plain


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
