"""Opens one study of a store, as it is at one moment: its declaration, its last run, how it stands; counts nothing."""

from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from pegbox.report.data_summary import recorded_understanding
from pegbox.report.incumbent_rows import in_file_order
from pegbox.report.progress import Tally
from pegbox.report.status import RunState, StudyStatus, status_of
from pegbox.report.study_list import study_named
from pegbox.report.tally import read_tally
from pegbox.report.worker_activity import activities
from pegbox.schemas.population import POPULATION_METHODS
from pegbox.schemas.selection import Selection
from pegbox.schemas.trial import Stage
from pegbox.schemas.understanding import DataUnderstanding
from pegbox.storage.history_file import HistoryFile, open_history
from pegbox.storage.layout import StoreLayout
from pegbox.storage.queries import events, studies
from pegbox.storage.queries.competing import leading
from pegbox.storage.queries.curves import curve
from pegbox.storage.queries.lineage import schedule_of
from pegbox.storage.queries.runs import last_run
from pegbox.storage.study_lock import study_holder


class StudyReader:
    """One study of a store, as it was when this was opened.

    Args:
        root: The store.
        study: Its name; the one that was active last where it is None.
        fresh: Bring the store up to date first; otherwise it is read as it was last published.
        is_driver: True in the process that runs the study itself, which need not ask whether the driver is alive.

    Raises:
        NotFoundError: There is no history, or it holds no such study.
    """

    def __init__(self, root: Path, study: str | None = None, *, fresh: bool = True, is_driver: bool = False) -> None:
        self._store = StoreLayout(root.absolute())
        # open_history ingests the journals first; the plain file is the snapshot as it was last published, and waits
        # for nobody.
        self.file = open_history(root) if fresh else HistoryFile(self._store)
        """The history, for further questions."""
        self._is_driver = is_driver
        try:
            self.study = study_named(self.file, study)
            declared = studies.declared(self.file, self.study)
        # BaseException, so that Ctrl-C closes the file as well.
        except BaseException:
            self.file.close()
            raise
        self.spec = declared.spec
        self.view_name = declared.view_name
        """The SQL view with one column for each parameter."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.close()

    def status(self) -> StudyStatus:
        """How the study stands."""
        run, tally = self.run(), self.tally()
        training = activities(self.file, self.spec, run.run) if run and run.status == "running" else ()
        # A curve is read only where a running trial will be set against it: this is asked at every new snapshot.
        is_compared = tally.incumbent is not None and tally.front is None and training
        best_curve = self._curve(tally.incumbent.trial) if tally.incumbent and is_compared else {}
        return status_of(self.spec, tally, run, training, best_curve)

    def selection(self) -> Selection | None:
        """The last one as long as its winner competes; None before there is one."""
        return events.last_selection(self.file, self.study) if leading(self.file, self.study).is_selected else None

    def schedule_of(self, trial: int | None) -> tuple[Stage, ...]:
        """The stages of a trial of a population, values in the order of the study file; empty of any other trial."""
        if trial is None or self.spec.search.method not in POPULATION_METHODS:
            return ()
        return tuple(
            Stage(configuration=in_file_order(self.spec, one.configuration), to_budget=one.to_budget)
            for one in schedule_of(self.file, self.study, trial)
        )

    def run(self) -> RunState | None:
        """The last run; one whose process is gone without a word is lost."""
        last = last_run(self.file, self.study)
        if last is None:
            return None
        # The driver holds the lock itself and need not ask; to it, its run is never lost.
        is_gone = last.status == "running" and not self._is_driver and study_holder(self._store, self.study) is None
        return RunState(
            run=last.run,
            status="lost" if is_gone else last.status,
            host=last.host,
            pid=last.pid,
            started_at=last.started_at,
            ended_at=last.ended_at,
            message=last.message or "",
        )

    def understanding(self) -> DataUnderstanding | None:
        """What the data of the last run was taken for; None where it had none, or it is gone from the store."""
        return recorded_understanding(self._store, self.file, self.study)

    def tally(self) -> Tally:
        """What the trials add up to."""
        return read_tally(self.file, self.spec, self._elapsed_seconds())

    def _elapsed_seconds(self) -> float:
        """Running time over all runs: as the driver last said and, while it is alive, what has passed since."""
        told = events.told_clock(self.file, self.study)
        if told is None:
            return 0.0
        run = self.run()
        is_running = run is not None and run.status == "running"
        # Wall clocks of two machines may disagree: a clock that is ahead there must not take time off.
        since = (datetime.now(told.at.tzinfo) - told.at).total_seconds() if is_running else 0.0
        return told.elapsed_seconds + max(0.0, since)

    def _curve(self, trial: int) -> dict[int, float]:
        return curve(self.file, self.study, self.spec.goals[0].metric, trial)


def study_status(root: Path, study: str | None = None) -> StudyStatus:
    """How a study stands.

    Raises:
        NotFoundError: There is no history, or it holds no such study.
    """
    with StudyReader(root, study) as reader:
        return reader.status()
