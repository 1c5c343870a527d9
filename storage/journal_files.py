"""Which journals a store holds, and how large each is; reads none of them and loads nothing heavy."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pegbox.storage.layout import StoreLayout


class JournalFile(NamedTuple):
    """A journal as it lay in the directory at one moment.

    `n_bytes` is None for an archived journal: its size shows only when it is read.
    """

    name: str
    path: Path
    n_bytes: int | None

    @property
    def is_archived(self) -> bool:
        """True if the file is compressed and complete."""
        return self.n_bytes is None


def list_journals(store: StoreLayout) -> list[JournalFile]:
    """All journals, in an order in which what a worker measured comes before what its driver made of it.

    The sizes of the drivers' journals are taken first and read last: so a snapshot never shows a trial whose
    driver has finished it and whose last metrics, written before, are missing.
    """
    drivers = sorted(store.journal.glob("*-driver-*.jsonl"))
    files = [JournalFile(path.stem, path, path.stat().st_size) for path in drivers]
    others = sorted(set(store.journal.glob("*.jsonl")) - set(drivers))
    files = [JournalFile(path.stem, path, path.stat().st_size) for path in others] + files
    present = {file.name for file in files}
    for path in sorted(store.archive.glob("*.jsonl.zst")):
        name = path.name.removesuffix(".jsonl.zst")
        if name not in present:
            files.append(JournalFile(name, path, None))
    return files


def sizes(files: list[JournalFile]) -> Mapping[str, int | None]:
    """Name to size, to tell whether anything was written since."""
    return {file.name: file.n_bytes for file in files}
