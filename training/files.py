"""Writes a file in one step: a reader sees all of it or none; knows no format."""

import os
from collections.abc import Callable
from pathlib import Path


def write_in_one_step(path: Path, write: Callable[[Path], object]) -> None:
    """Have the file written under another name beside its own, then give it its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
