"""Changes a study that nobody drives at the moment, by events like those of its driver; trains nothing."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from pegbox.schemas.errors import NotFoundError, StoreError, StudyError
from pegbox.schemas.events import Event, StudyOpened, StudyRenamed
from pegbox.schemas.history import History
from pegbox.schemas.study import LONGEST_NAME
from pegbox.storage.ingest import ingest
from pegbox.storage.journal import Journal
from pegbox.storage.layout import StoreLayout
from pegbox.storage.merging import refuse_merged
from pegbox.storage.model_files import rename_models
from pegbox.storage.reading import connect_snapshot
from pegbox.storage.recorded_history import last_version, recorded_history
from pegbox.storage.study_lock import StudyLock


class Forgotten(NamedTuple):
    """A study that is seen nowhere, and may be restored."""

    study: str
    """Its name."""
    name: str
    """What it is called as long as it is forgotten."""
    at: datetime


def amend_study(store: StoreLayout, study: str, change: Callable[[History], Sequence[Event]]) -> History:
    """Record what a user changes of a study, as its only driver for a moment.

    Args:
        store: The store.
        study: Its name.
        change: The events, given the history so far; none where nothing changes.

    Returns:
        The history after them.

    Raises:
        NotFoundError: The store holds no such study.
        StoreBusyError: A live process drives it.
        StoreUnwritableError: The store cannot be written.
        StoreCorruptError: The study's events are not whole.
    """
    with StudyLock(store, study):
        ingest(store, wait=True, force=True)
        refuse_merged(store, study)
        before = recorded_history(store, study)
        if before is None:
            raise NotFoundError(f"The history holds no study {study!r}. `pegbox ls` lists those it holds.")
        events = change(before)
        # Folded before it is written: an event that contradicts the history raises here and leaves no line behind.
        after = before.after(*events)
        if events:
            journal = Journal(store.journal, writer="amend")
            journal.append(*events, version=before.version + 1)
            journal.close()
            ingest(store, wait=True, force=True)
        return after


def rename_study(store: StoreLayout, study: str, name: str, *, forgotten: bool = False) -> None:
    """Give a study another name; everything that was recorded of it goes along.

    Args:
        store: The store.
        study: Its name.
        name: The new one.
        forgotten: Show it nowhere until it is given back its name.

    Raises:
        NotFoundError: The store holds no such study.
        StudyError: The new name is none.
        StoreError: The store holds a study of the new name.
        StoreBusyError: A live process drives one of them.
        StoreUnwritableError: The store cannot be written.
    """
    _require_history(store)
    if not forgotten and not 0 < len(name) <= LONGEST_NAME:
        raise StudyError(f"a study has a name of 1 to {LONGEST_NAME} letters, got {name!r}. Choose another.", "rename")
    if study == name:
        raise StoreError(f"The study is called {name!r} already. Choose another name.")
    # Both names: a driver that opens the new one in this moment would begin a study in the midst of the rename. Locks
    # do not wait, so the order of two cannot end in a deadlock.
    with StudyLock(store, study), StudyLock(store, name):
        ingest(store, wait=True, force=True)
        refuse_merged(store, study)
        before = recorded_history(store, study)
        if before is None:
            raise NotFoundError(f"The history holds no study {study!r}. `pegbox ls` lists those it holds.")
        if recorded_history(store, name) is not None:
            raise StoreError(
                f"The store holds a study {name!r} already. Choose another name, or make it free: "
                f"`pegbox rename` or `pegbox forget` that one first."
            )
        renamed = StudyRenamed(study=study, name=name, forgotten=forgotten)
        after = before.after(renamed)
        journal = Journal(store.journal, writer="amend")
        journal.append(renamed, version=after.version)
        if not forgotten:
            # Above every version that either name has had, so that name and version tell of each old line whose it is.
            first = max(after.version, last_version(store, name)) + 1
            journal.append(StudyOpened(study=name, spec=after.spec), version=first)
        journal.close()
        rename_models(store, study, name)
        ingest(store, wait=True, force=True)


def forget_study(store: StoreLayout, study: str) -> None:
    """Show a study nowhere any more, and make its name free; `restore_study` takes it back.

    Raises:
        NotFoundError: The store holds no such study.
        StoreBusyError: A live process drives it.
        StoreUnwritableError: The store cannot be written.
    """
    # To the microsecond, so that two of one name that are forgotten after each other keep names of their own.
    rename_study(store, study, f"{study} (forgotten {datetime.now(UTC).isoformat()})", forgotten=True)


def restore_study(store: StoreLayout, study: str) -> None:
    """Give back the study of this name that was forgotten last.

    Raises:
        NotFoundError: No study of this name is forgotten, or what it needs was deleted.
        StoreError: The store holds another study of this name by now.
        StoreUnwritableError: The store cannot be written.
    """
    found = [one for one in forgotten_studies(store) if one.study == study]
    if not found:
        names = ", ".join(dict.fromkeys(one.study for one in forgotten_studies(store))) or "none"
        raise NotFoundError(
            f"No study {study!r} can be restored. Forgotten, and not yet deleted by `pegbox store gc`: {names}."
        )
    rename_study(store, found[-1].name, study)


def forgotten_studies(store: StoreLayout) -> tuple[Forgotten, ...]:
    """The studies that may be restored, the one that was forgotten last at the end.

    Raises:
        NotFoundError: There is no history.
    """
    _require_history(store)
    ingest(store, wait=True, force=True)
    with connect_snapshot(store) as connection:
        rows = connection.execute(
            "SELECT study, name, renamed_at FROM renames AS r WHERE forgotten AND NOT dropped "
            "AND NOT EXISTS (FROM renames AS later WHERE later.study = r.name) ORDER BY renamed_at"
        ).fetchall()
    return tuple(Forgotten(*row) for row in rows)


def _require_history(store: StoreLayout) -> None:
    """Say what is not there before a directory or a lock file is made.

    Raises:
        NotFoundError: There is no history.
    """
    if not store.journal.is_dir():
        connect_snapshot(store).close()
