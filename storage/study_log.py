"""The driver's side of a store: one study, its history in memory, and every event made durable before it counts."""

import logging
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Literal, Self

from pegbox.schemas.errors import ClusterLostError, StoreError, StudyInterruptedError
from pegbox.schemas.events import Driven, Event, MetricsReported, ModelMade, RunEnded, RunStarted, StudyOpened
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.storage.archive import archive_journals
from pegbox.storage.awake_clock import AwakeClock
from pegbox.storage.history_replay import replay
from pegbox.storage.ingest import ingest
from pegbox.storage.journal import Journal
from pegbox.storage.layout import StoreLayout
from pegbox.storage.reading import connect_snapshot
from pegbox.storage.same_study import changes, check_same_data
from pegbox.storage.study_lock import StudyLock

# Picked by hand: what a person at a live page takes for now; an ingest with nothing new costs a stat for each journal.
INGEST_SECONDS = 1.0
"""Between two ingests; longer where one takes long, so that training keeps the processor."""
SLOWEST_SECONDS = 2.0
Status = Literal["completed", "interrupted", "failed"]

_logger = logging.getLogger(__name__)


class StudyLog:
    """An open study; made by `open_study`, used in one thread, and closed by its `with` block."""

    def __init__(self, store: StoreLayout, run: RunStarted, history: History, lock: StudyLock) -> None:
        self.store = store
        self.run = run.run
        self.versions = run.versions
        self._history = history
        self._lock = lock
        self._journal = Journal(store.journal, writer="driver")
        self._ingestor = _Ingestor(store, self._journal)
        self._elapsed_before = history.elapsed_seconds
        self._clock = AwakeClock()
        self._is_open = True
        self._failure: Exception | None = None

    @property
    def history(self) -> History:
        """The history with everything that was recorded."""
        return self._history

    @property
    def elapsed_seconds(self) -> float:
        """Running time of the study: what earlier runs recorded, and this run so far; no sleep of the machine."""
        return self._elapsed_before + self._clock.read()

    def record(self, *events: Event) -> History:
        """Say when events happened in the running time of the study, make them durable, fold them into the history.

        Returns:
            The history after them.

        Raises:
            StoreUnwritableError: The disk is full or fails; the study must be opened again.
            StoreError: The log was closed, or failed before.
        """
        if not self._is_open or self._failure:
            raise StoreError(
                f"The log of study {self._history.spec.name!r} must be open to record {len(events)} events, but it "
                f"was {'closed' if not self._is_open else 'given up after a failed write'}. Open the study again."
            ) from self._failure
        events = tuple(self._timed(event) for event in events)
        after = self._history.after(*events)  # first: an event that contradicts the history must not be written
        try:
            self._journal.append(*events, version=self._history.version + 1)
        except Exception as error:
            # No second try in this run: whether the line stands in the file is not known, and the history in memory
            # must not run ahead of what a kill would leave.
            self._failure = error
            raise
        self._history = after
        return after

    def _timed(self, event: Event) -> Event:
        """A decision says its time itself: it was made from the history at that moment."""
        if not isinstance(event, Driven) or event.elapsed_seconds is not None:
            return event
        return event.model_copy(update={"elapsed_seconds": self.elapsed_seconds})

    def report(self, *reports: MetricsReported | ModelMade) -> None:
        """Make durable what no strategy sees, which carries no version: metrics that no worker has journalled, models.

        Raises:
            StoreUnwritableError: The disk is full or fails; the study must be opened again.
        """
        self._journal.append(*reports)

    def close(self, status: Status = "completed", message: str = "") -> None:
        """Record how the run ended, bring the snapshot up to date, and let go of the study.

        Raises:
            StoreUnwritableError: The disk is full or fails.
        """
        if not self._is_open:
            return
        try:
            if not self._failure:
                self.record(RunEnded(study=self._history.spec.name, run=self.run, status=status, message=message))
        finally:
            self._is_open = False
            self._clock.stop()
            self._journal.close()
            # Joined before the lock goes, so that nothing of this run works on the store once another driver may hold
            # the study.
            self._ingestor.stop()
            self._lock.release()
        # After the lock is free: whoever waited for the study does not wait for a copy of a large database as well.
        ingest(self.store, wait=True, force=True)
        if status == "completed":
            with suppress(OSError):  # a journal that is not archived is as good
                archive_journals(self.store)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close("completed")
        elif issubclass(kind, KeyboardInterrupt | StudyInterruptedError):
            self.close("interrupted")
        elif issubclass(kind, ClusterLostError):
            self.close("interrupted", str(error)[:1000])
        else:
            self.close("failed", f"{kind.__name__}: {error}"[:1000])


def open_study(store: StoreLayout, spec: StudySpec, run: RunStarted) -> StudyLog:
    """Become the driver of a study, new or begun before.

    Raises:
        StoreBusyError: Another live process drives it.
        StudyMismatchError: The store holds a study of this name with another space, objectives, data or training,
            or its data has another content now.
        StoreUnwritableError: The store cannot be written.
        StoreCorruptError: The study's events are not whole.
    """
    lock = StudyLock(store, spec.name)
    # Before the history is read: what another driver wrote a moment before it let go must be in it.
    lock.acquire()
    try:
        ingest(store, wait=True, force=True)
        before = recorded_history(store, spec.name)
        opened = StudyOpened(study=spec.name, spec=spec)
        if before is None:
            start = _first(opened, last_version(store, spec.name) + 1)
            log = StudyLog(store, run, start, lock)
            log._journal.append(opened, version=start.version)
        else:
            events = changes(before, spec)
            check_same_data(before, run)
            log = StudyLog(store, run, before, lock)
            if events:
                log.record(*events)
        log.record(run)
    except BaseException:
        lock.release()
        raise
    # Last: a thread that was started would outlive a driver that fails to open.
    log._ingestor.start()
    log._clock.start()
    return log


def recorded_history(store: StoreLayout, study: str) -> History | None:
    """The history that a study's events in the snapshot add up to; None where the store does not hold it.

    Raises:
        StoreCorruptError: The events are not whole.
    """
    with connect_snapshot(store) as connection:
        rows = connection.execute(
            "SELECT version, body FROM events WHERE study = ? AND version IS NOT NULL ORDER BY version", [study]
        ).fetchall()
    return replay(study, rows)


def last_version(store: StoreLayout, study: str) -> int:
    """The last version that a study of this name had which has another name now; 0 where there was none.

    What begins under the name counts on from it, so that a line of a journal tells by its version whose it is.
    """
    with connect_snapshot(store) as connection:
        row = connection.execute("SELECT coalesce(max(version), 0) FROM renames WHERE study = ?", [study]).fetchone()
    return int(row[0]) if row else 0


def _first(opened: StudyOpened, version: int) -> History:
    history = History.replay([opened])
    assert history is not None
    return history.model_copy(update={"version": version})


class _Ingestor:
    """Keeps the snapshot fresh and the driver's journal whole in the background while the study runs."""

    def __init__(self, store: StoreLayout, journal: Journal) -> None:
        self._store = store
        self._journal = journal
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pegbox-ingest", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

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
