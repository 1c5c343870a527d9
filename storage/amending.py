"""Changes a study that nobody drives at the moment, by events like those of its driver; trains nothing."""

from collections.abc import Callable, Sequence

from pegbox.schemas.errors import NotFoundError
from pegbox.schemas.events import Event
from pegbox.schemas.history import History
from pegbox.storage.ingest import ingest
from pegbox.storage.journal import Journal
from pegbox.storage.layout import StoreLayout
from pegbox.storage.study_lock import StudyLock
from pegbox.storage.study_log import recorded_history


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
        before = recorded_history(store, study)
        if before is None:
            raise NotFoundError(f"The history holds no study {study!r}. `pegbox ls` lists those it holds.")
        events = change(before)
        after = before.after(*events)
        if events:
            journal = Journal(store.journal, writer="amend")
            journal.append(*events, version=before.version + 1)
            journal.close()
            ingest(store, wait=True, force=True)
        return after
