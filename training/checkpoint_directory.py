"""A directory that a user's code fills with its checkpoint; it appears under its name at once, or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pegbox.schemas.trial import Segment


@dataclass(slots=True)
class CheckpointDirectory:
    """Where a segment reads and writes its files.

    Attributes:
        path: An empty directory for the files of this segment.
        resume: What the segment before left behind; None to begin.
        kept: Where the files lie for good, once the segment has ended and has written any.
    """

    path: Path
    resume: Path | None
    kept: Path | None = None


@contextmanager
def checkpoint_directory(segment: Segment, data_fingerprint: str, checkpoints: Path) -> Iterator[CheckpointDirectory]:
    """Make the directory; keep it if the segment succeeds and has written a file, else remove it."""
    name = segment.content_key(data_fingerprint)
    path = (checkpoints / f".{name}.{os.getpid()}").absolute()
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    resume = segment.checkpoint if segment.checkpoint is not None and segment.checkpoint.is_dir() else None
    directory = CheckpointDirectory(path, resume.absolute() if resume else None)
    try:
        yield directory
        if any(path.iterdir()):
            directory.kept = _keep(path, (checkpoints / name).absolute())
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _keep(path: Path, name: Path) -> Path:
    """Give the directory its name; one of the same content that is there already stays."""
    try:
        path.rename(name)
    except OSError:
        if not name.is_dir():
            raise
    return name
