"""What a scheduled study did so far, step by step; the studies it tunes have histories of their own."""

from types import TracebackType
from typing import Self

from pegbox.schemas.events import ScheduleStep
from pegbox.storage.ingest import ingest
from pegbox.storage.journal import Journal
from pegbox.storage.layout import StoreLayout
from pegbox.storage.reading import connect_snapshot
from pegbox.storage.study_lock import StudyLock


class ScheduleLog:
    """The steps of one scheduled study; one process at a time, named by its lock.

    Use it as a context.

    Args:
        store: The store.
        study: The name of the scheduled study.
    """

    def __init__(self, store: StoreLayout, study: str) -> None:
        self._store = store
        self._study = study
        # Not the name of the study itself, which somebody may run by hand while the schedule waits (decision 3).
        self._lock = StudyLock(store, f"{study} (schedule)")
        self._journal = Journal(store.journal, writer="schedule")
        self.steps: tuple[ScheduleStep, ...] = ()
        """Oldest first."""

    def record(self, step: ScheduleStep) -> ScheduleStep:
        """Make a step durable; gives it back.

        Raises:
            StoreUnwritableError: The disk is full or fails.
        """
        self._journal.append(step)
        self.steps = (*self.steps, step)
        return step

    def __enter__(self) -> Self:
        self._lock.acquire()
        ingest(self._store, wait=True, force=True)
        self.steps = schedule_steps(self._store, self._study)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._journal.close()
        self._lock.release()
        ingest(self._store, wait=True, force=True)


def schedule_steps(store: StoreLayout, study: str) -> tuple[ScheduleStep, ...]:
    """The steps that a store's snapshot holds of a scheduled study, oldest first."""
    with connect_snapshot(store) as connection:
        rows = connection.execute(
            "SELECT body FROM events WHERE study = ? AND type = 'schedule_step' ORDER BY written_at, journal, seq",
            [study],
        ).fetchall()
    return tuple(ScheduleStep.model_validate_json(row[0]) for row in rows)
