"""The driver's side of a store: one study, its history in memory, and every event made durable before it counts."""

from collections.abc import Callable
from types import TracebackType
from typing import Literal, Self

from pegbox.schemas.errors import ClusterLostError, StoreBusyError, StoreError, StudyInterruptedError
from pegbox.schemas.events import Driven, Event, MetricsReported, ModelMade, RunEnded, RunStarted, StudyOpened
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.storage.awake_clock import AwakeClock
from pegbox.storage.background_ingest import BackgroundIngest
from pegbox.storage.ingest import ingest
from pegbox.storage.journal import Journal
from pegbox.storage.layout import StoreLayout
from pegbox.storage.merging import refuse_merged
from pegbox.storage.recorded_history import last_version, recorded_history
from pegbox.storage.same_study import changes, check_same_data
from pegbox.storage.sharing.synchronising import synchronise
from pegbox.storage.study_lock import StudyLock

Status = Literal["completed", "interrupted", "failed"]
Listener = Callable[[History, History, Event], object]


class StudyLog:
    """An open study; made by `open_study`, used in one thread, and closed by its `with` block."""

    def __init__(self, store: StoreLayout, run: RunStarted, history: History, lock: StudyLock) -> None:
        self.store = store
        self.run = run.run
        self.versions = run.versions
        self._history = history
        self._lock = lock
        self._journal = Journal(store.journal, writer="driver")
        self._ingest = BackgroundIngest(store, self._journal)
        self._elapsed_before = history.elapsed_seconds + run.start_seconds
        self._clock = AwakeClock()
        self._is_open = True
        self._failure: Exception | None = None
        self._listener: Listener | None = None

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
            StoreBusyError: Another machine drives the study of a shared store by now.
            StoreError: The log was closed, or failed before.
        """
        if not self._is_open or self._failure:
            raise StoreError(
                f"The log of study {self._history.spec.name!r} must be open to record {len(events)} events, but it "
                f"was {'closed' if not self._is_open else 'given up after a failed write'}. Open the study again."
            ) from self._failure
        self._refuse_lost()
        events = tuple(self._timed(event) for event in events)
        after = self._history.after(*events)  # first: an event that contradicts the history must not be written
        try:
            self._journal.append(*events, version=self._history.version + 1)
        except Exception as error:
            # No second try in this run: whether the line stands in the file is not known, and the history in memory
            # must not run ahead of what a kill would leave.
            self._failure = error
            raise
        # Histories are frozen, so that the one before stays what it was.
        before, self._history = self._history, after
        if self._listener:
            for event in events:
                self._listener(before, after, event)
        return after

    def listen(self, listener: Listener) -> None:
        """Have something told of each event once it is durable, with the histories before and after all of a call."""
        self._listener = listener

    def _timed(self, event: Event) -> Event:
        """A decision says its time itself: it was made from the history at that moment."""
        if not isinstance(event, Driven) or event.elapsed_seconds is not None:
            return event
        return event.model_copy(update={"elapsed_seconds": self.elapsed_seconds})

    def _refuse_lost(self) -> None:
        try:
            self._lock.refuse_lost()
        except StoreBusyError as error:
            self._failure = error  # the end of the run is not recorded either
            raise

    def _claim(self) -> None:
        """Have the beginning of the run in the shared store before it does anything, where there is one.

        Raises:
            StoreBusyError: Another machine began in the same moment, and was first.
        """
        if self._journal.name in synchronise(self.store):
            self._failure = StoreBusyError(
                f"The study {self._history.spec.name!r} was begun by another machine in the same moment. Wait for it, "
                "or give this study another name."
            )
            self._journal.close()  # so that what it holds is set aside when the lock goes
            raise self._failure

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
            self._ingest.stop()
            self._lock.release()
        # After the lock is free: whoever waited for the study does not wait for a copy of a large database as well.
        self._ingest.finish(archives=status == "completed")

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
        refuse_merged(store, spec.name)
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
        log._claim()
    except BaseException:
        lock.release()
        raise
    # Last: a thread that was started would outlive a driver that fails to open.
    log._ingest.start()
    log._clock.start()
    return log


def _first(opened: StudyOpened, version: int) -> History:
    history = History.replay([opened])
    assert history is not None
    return history.model_copy(update={"version": version})
