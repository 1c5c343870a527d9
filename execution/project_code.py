"""Packs the files of a project for machines that do not see them; decides nothing about what they do."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from pegbox.execution.exchange import Exchange
from pegbox.schemas.errors import ClusterError

# Picked by hand: code is some MB; more means that data or checkpoints lie beside it, which every machine would load.
MAX_CODE_BYTES = 200_000_000
_NOT_CODE = {"__pycache__", "node_modules"}


def put_code(exchange: Exchange, directory: Path, store: Path) -> str:
    """Leave a project's files, so that every machine trains the same code.

    Args:
        exchange: Where to.
        directory: The project's folder; hidden folders, environments and the store in it are left out.
        store: Of the study.

    Returns:
        The name under which they are left, made from their content.

    Raises:
        ClusterError: There is too much of it, or the place cannot be written.
    """
    digest, size = hashlib.sha256(), 0
    draft = store / f".code.{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    try:
        for file in _project_files(directory, store):
            size += file.stat().st_size
            if size > MAX_CODE_BYTES:
                raise ClusterError(
                    f"The files below {directory} travel to the cluster with the study, but are more than "
                    f"{MAX_CODE_BYTES // 10**6} MB. Run the study in a folder that has its code alone."
                )
            name = file.relative_to(directory)
            digest.update(f"{name}:".encode() + hashlib.sha256(file.read_bytes()).digest())
            copy = draft / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, copy)
        draft.mkdir(exist_ok=True)
        code = f"code/{digest.hexdigest()[:24]}"
        exchange.put(draft, code)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return code


def _project_files(directory: Path, store: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(directory):
        parent = Path(here)
        # In place, so that os.walk skips what is left out; sorted, so that one project has one digest on every file
        # system.
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in _NOT_CODE
            and parent / name != store
            and not (parent / name / "pyvenv.cfg").exists()
        )
        yield from (parent / name for name in sorted(files) if not name.startswith("."))
