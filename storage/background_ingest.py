"""Background ingest: a driver's thread that folds the journals into the snapshot again and again while a study runs."""

import logging
import threading
import time
from contextlib import suppress

from pegbox.storage.archive import archive_journals
from pegbox.storage.ingest import ingest
from pegbox.storage.journal import Journal
from pegbox.storage.layout import StoreLayout

# Picked by hand: what a person at a live page takes for now; an ingest with nothing new costs a stat for each journal.
INGEST_SECONDS = 1.0
"""Between two ingests; longer where one takes long, so that training keeps the processor."""
SLOWEST_SECONDS = 2.0

_logger = logging.getLogger(__name__)


class BackgroundIngest:
    """Keeps the snapshot fresh and the driver's journal whole while the study runs; started once, stopped once."""

    def __init__(self, store: StoreLayout, journal: Journal) -> None:
        self._store = store
        self._journal = journal
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pegbox-ingest", daemon=True)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Wait for the ingest that is under way, and begin no other."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def finish(self, *, archives: bool) -> None:
        """Bring the snapshot up to date for good; with the study done, pack the journals as well."""
        ingest(self._store, wait=True, force=True)
        if archives:
            with suppress(OSError):  # a journal that is not archived is as good
                archive_journals(self._store)

    def _run(self) -> None:
        took = 0.0
        # Four times what the last one took, so that ingest has a fifth of a core; two seconds at most, because a page
        # that is live must stay so where a large store takes longer than that allows.
        while not self._stopped.wait(min(max(INGEST_SECONDS, 4 * took), SLOWEST_SECONDS)):
            began = time.monotonic()
            try:
                self._journal.mend()  # first: what a deleted journal held may not be in the database yet
                ingest(self._store)
            except Exception as error:  # noqa: BLE001 - the journal is the truth; readers wait, the study goes on
                _logger.warning("The history is not up to date: %s", error)
            took = time.monotonic() - began
