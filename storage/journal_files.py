"""Which journals a store holds, and how large each is; reads none of them and loads nothing heavy."""

import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pegbox.storage.layout import StoreLayout, kind_of

_PACKED = ".jsonl.zst"


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
    files = list(_measured(drivers))
    others = sorted(set(store.journal.glob("*.jsonl")) - set(drivers))
    files = [*_measured(others), *files]
    present = {file.name for file in files}
    for path in sorted(store.archive.glob(f"*{_PACKED}")):
        name = path.name.removesuffix(_PACKED)
        if name not in present and kind_of(path) == "file":
            files.append(JournalFile(name, path, None))
    return files


def find_journal(store: StoreLayout, name: str) -> JournalFile | None:
    """The journal of that name as it lies there now: it may have been archived since it was listed."""
    packed = store.archive / f"{name}{_PACKED}"
    found = next(_measured([store.journal / f"{name}.jsonl"]), None)
    return found or (JournalFile(name, packed, None) if kind_of(packed) == "file" else None)


def odd_journals(store: StoreLayout) -> dict[str, str]:
    """Name to kind of what lies where a journal should and is no file, such as a directory; never opened."""
    places = {path: path.stem for path in store.journal.glob("*.jsonl")}
    places |= {path: path.name.removesuffix(_PACKED) for path in store.archive.glob(f"*{_PACKED}")}
    kinds = {name: kind_of(path) for path, name in sorted(places.items())}
    return {name: kind for name, kind in kinds.items() if kind not in {"file", "nothing"}}


def _measured(paths: Iterable[Path]) -> Iterator[JournalFile]:
    """The journals among the paths; one that was archived or deleted a moment ago is none."""
    for path in paths:
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        if stat.S_ISREG(status.st_mode):
            yield JournalFile(path.stem, path, status.st_size)


def sizes(files: list[JournalFile]) -> Mapping[str, int | None]:
    """Name to size, to tell whether anything was written since."""
    return {file.name: file.n_bytes for file in files}
