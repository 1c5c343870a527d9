"""Writes a file in one step: a reader sees all of it or none; knows no format."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

# Picked by hand: longer than a segment should train.
FORGOTTEN_SECONDS = 7 * 86_400
"""What a worker left unfinished is removed after this time; another machine may still write to what is younger."""


def write_in_one_step(path: Path, write: Callable[[Path], object]) -> None:
    """Have the file written under another name beside its own, then give it its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Beside it, as a rename is atomic within one file system only; with a dot, so that no reader lists it.
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def remove_unfinished(directory: Path) -> int:
    """Remove what killed workers left half written in a directory of checkpoints long ago; gives how many.

    Their names begin with a dot and end with the number of the process that wrote them.
    """
    removed = 0
    for path in directory.glob(".*.*"):
        process = path.suffix[1:]
        if process.isdigit() and not _is_alive(int(process)) and _age(path) > FORGOTTEN_SECONDS:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            removed += 1
    return removed


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _age(path: Path) -> float:
    """Seconds since the path was changed; 0 if it is gone."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
