"""Brings the history of another store into this one: its journals, line by line, and its models.

A journal has one writer and a name that no other has, so a copy under the same name can be brought up to date at any
time: to merge twice is to merge once, and both stores may be in use. Studies are told apart by name: one whose name is
taken here gets the label of its store, in every line that names it.
"""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pegbox.schemas.errors import NotFoundError, StoreError
from pegbox.schemas.events import EVENT, StudyMerged
from pegbox.storage.event_names import names_in, renamed
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.ingest import bring_up_to_date
from pegbox.storage.journal import Journal
from pegbox.storage.journal_files import JournalFile, list_journals
from pegbox.storage.journal_lines import JournalLine, encode_body
from pegbox.storage.layout import StoreLayout, no_history
from pegbox.storage.locks import exclusive
from pegbox.storage.model_files import CURRENT, LATEST, SUFFIX, model_path, put_under
from pegbox.storage.model_log import listed_models
from pegbox.storage.scanning import scan_lines, writer_is_gone
from pegbox.storage.store import check_version, unwritable

_HIDDEN_NAMES = frozenset({".pegbox", "store", ""})
"""Directories that many stores lie in, and which tell none apart."""


class Merged(NamedTuple):
    """What was brought in, in one call.

    Attributes:
        label: What the other store is called here.
        n_events: Lines that are new here.
        studies: Name there to name here, of every study of the other store.
        n_models: Files of models that were copied.
    """

    label: str
    n_events: int
    studies: dict[str, str]
    n_models: int


def merge_store(store: StoreLayout, other: StoreLayout, label: str | None = None) -> Merged:
    """Bring in everything that another store holds and this one does not; the other is only read.

    Args:
        store: Where to.
        other: Where from.
        label: What follows the names of its studies that are taken here; by default the name of its folder.

    Raises:
        NotFoundError: There is no such store.
        StoreError: Both are the same one, or another process merges at this moment.
        StoreNewerError: A newer pegbox wrote one of them.
        StoreUnwritableError: This store cannot be written.
    """
    if not other.journal.is_dir():
        raise NotFoundError(no_history(other))
    if store.root.resolve() == other.root.resolve():
        raise StoreError(f"A store is merged into another one, but both are {store.root}.")
    check_version(other)
    label = label or _label_of(other)
    try:
        with exclusive(store.locks / "merge.lock", wait=False) as held:
            if not held:
                raise StoreError(f"Another process merges into {store.root} at this moment. Try again in a while.")
            return _merge(store, other, label)
    except OSError as error:
        raise unwritable(store, error) from error


def _merge(store: StoreLayout, other: StoreLayout, label: str) -> Merged:
    here = {file.name: file for file in list_journals(store)}
    theirs = list_journals(other)
    names = _Names(_taken(here, {file.name for file in theirs}), label)
    n_events = 0
    # What came before is read first: the names that its studies got are the names that they keep.
    for file in sorted(theirs, key=lambda one: one.name not in here):
        n_events += _bring(store, file, here.get(file.name), names)
    bring_up_to_date(store)
    _tell(store, label, names)
    return Merged(label, n_events, names.given, _bring_models(store, other, names))


class _Names:
    """Which name each study of the other store has here."""

    def __init__(self, taken: set[str], label: str) -> None:
        self._taken, self._label = taken, label
        self.given: dict[str, str] = {}

    def learn(self, there: str, here: str) -> None:
        """A study that was brought in before."""
        self.given.setdefault(there, here)
        self._taken.discard(there)

    def __call__(self, there: str) -> str:
        if there not in self.given:
            self.given[there] = there if there not in self._taken else self._free(f"{there}@{self._label}")
        return self.given[there]

    def _free(self, name: str) -> str:
        used = self._taken | set(self.given.values())
        return next(one for one in (name, *(f"{name}-{n}" for n in range(2, len(used) + 3))) if one not in used)


def _taken(here: dict[str, JournalFile], theirs: set[str]) -> set[str]:
    """Names that studies have, or had, in the journals that are this store's alone."""
    own = (line for name, file in here.items() if name not in theirs for line in _whole_lines(file))
    return {name for line in own for name in names_in(EVENT.validate_json(line.body))}


def _whole_lines(file: JournalFile) -> Iterator[JournalLine]:
    """Those that are not damaged; what is, its own store tells of."""
    return (one.line for one in scan_lines(file) if isinstance(one.line, JournalLine))


def _bring(store: StoreLayout, file: JournalFile, known: JournalFile | None, names: _Names) -> int:
    """Have a journal here hold what it holds there; returns how many lines are new."""
    before = list(_whole_lines(known)) if known else []
    lines = list(_whole_lines(file))
    for there, mine in zip(lines, before, strict=False):
        _learn(there, mine, names)
    if len(lines) <= len(before) or (known and not known.is_archived and not writer_is_gone(known.path)):
        return 0  # nothing new, or a journal of this store that the other one has a copy of
    # What stands here stays as it is, byte for byte: a name that was given once is never given anew.
    kept = [encode_body(line.body, f"{line.at:.6f}", line.version, line.seq) for line in before]
    new = [_encoded(line, names) for line in lines[len(before) :]]
    _write(store.journal / f"{file.name}.jsonl", b"".join((*kept, *new)))
    return len(new)


def _learn(there: JournalLine, here: JournalLine, names: _Names) -> None:
    if there.body == here.body and there.seq > 1:
        return  # the first line of each journal is enough for names that did not change
    pairs = zip(names_in(EVENT.validate_json(there.body)), names_in(EVENT.validate_json(here.body)), strict=True)
    for name, given in pairs:
        names.learn(name, given)


def _encoded(line: JournalLine, names: _Names) -> bytes:
    event = EVENT.validate_json(line.body)
    same = all(names(name) == name for name in names_in(event))
    # As it was written where nothing changes: a newer writer may have spelt it otherwise.
    body = line.body if same else renamed(event, names).model_dump_json()
    return encode_body(body, f"{line.at:.6f}", line.version, line.seq)


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and durable."""
    draft = path.with_suffix(".draft")  # no journal's name: nobody reads half of it
    draft.unlink(missing_ok=True)
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)


def _tell(store: StoreLayout, label: str, names: _Names) -> None:
    """Say of each study that came whose it is, once."""
    told = merged_studies(store)
    new = [StudyMerged(study=here, source=label, was=there) for there, here in names.given.items() if here not in told]
    if new:
        journal = Journal(store.journal, writer="merge")
        journal.append(*new)
        journal.close()
        bring_up_to_date(store)


def merged_studies(store: StoreLayout) -> dict[str, str]:
    """Studies that came from other stores, and what those are called here."""
    with HistoryFile(store) as file:
        rows = file.sql(
            "SELECT study, arg_min(body->>'$.source', written_at) FROM events "
            "WHERE type = 'study_merged' GROUP BY study"
        ).fetchall()
    return dict(rows)


def refuse_merged(store: StoreLayout, study: str) -> None:
    """Refuse to drive or change a study that is driven in another store.

    Raises:
        StoreError: It came from one.
    """
    source = merged_studies(store).get(study)
    if source is not None:
        raise StoreError(
            f"Study {study!r} came from the store {source!r}, where it is driven and changed; events of both would not "
            "fit together. Do it there and merge again, or give the study of your file another name."
        )


def _bring_models(store: StoreLayout, other: StoreLayout, names: _Names) -> int:
    """Copy the models that lie there, and have the standing names follow the history; returns how many were copied."""
    n_copied = 0
    with HistoryFile(store) as file:
        models = listed_models(file)
    for model in reversed(models):  # the oldest first, so that the newest has the standing name in the end
        target = model_path(store, model.study, model.run)
        if model.is_gone and (found := next(other.models.glob(f"*/{model.run}{SUFFIX}"), None)):
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            partial = target.with_name(f".{target.name}.part")
            shutil.copyfile(found, partial)
            partial.replace(target)
            put_under(target, model_path(store, model.study, LATEST))
            n_copied += 1
        # Also where nothing was copied: a former model may have been promoted again.
        name = model.promoted_as
        if model.standing == CURRENT and name in names.given.values() and name is not None and target.is_file():
            standing = model_path(store, name, CURRENT)
            standing.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            put_under(target, standing)
    return n_copied


def _label_of(other: StoreLayout) -> str:
    """The folder of the project, where the store lies in one of the usual name."""
    root = other.root.resolve()
    name = next((part.name for part in (root, *root.parents) if part.name not in _HIDDEN_NAMES), "other")
    return re.sub(r"[^\w.-]+", "-", name)
