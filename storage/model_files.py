"""Where the models of a store lie: a directory for each study, a file for each run, two standing names; opens none."""

import hashlib
import os
import re
import shutil
from pathlib import Path
from uuid import uuid4

from pegbox.storage.layout import StoreLayout

SUFFIX = ".pegbox"
LATEST, CURRENT = "latest", "current"
"""The newest model of a study, and the one that was promoted."""


def model_path(store: StoreLayout, study: str, which: str) -> Path:
    """Where a model of a study lies: of a run, or under one of the two standing names."""
    return _folder(store, study) / f"{which}{SUFFIX}"


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


def rename_models(store: StoreLayout, study: str, name: str) -> None:
    """Have the models of a study lie under its new name."""
    before, after = _folder(store, study), _folder(store, name)
    if before.is_dir():
        # What lies under the new name is of a study that is no more: it had its own name taken by this one.
        shutil.rmtree(after, ignore_errors=True)
        before.rename(after)


def plain_name(study: str) -> str:
    """The name of a study as the name of a file.

    Readable where the name is; one with other letters, or a long one, is told from its neighbours by a hash.
    """
    plain = re.sub(r"[^\w.-]", "-", study)[:80].lstrip(".")
    return plain if plain == study else f"{plain}-{hashlib.sha256(study.encode()).hexdigest()[:8]}"


def _folder(store: StoreLayout, study: str) -> Path:
    return store.models / plain_name(study)
