"""The pages that the live host serves, each built once for every state of the snapshot; speaks no HTTP."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pegbox.page.analysis_process import AnalysisProcess
from pegbox.page.build import build_page
from pegbox.page.comparison_block import compared_studies
from pegbox.page.document import StudyPage, StudyRow
from pegbox.page.studies_block import study_rows
from pegbox.page.trial_block import trial_life
from pegbox.page.trials_block import all_trials
from pegbox.report.study_reader import StudyReader
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.layout import StoreLayout

# Picked by hand: studies that are looked at side by side; each is kept in memory whole.
MOST_KEPT = 8


class LivePages:
    """Reads the published snapshot only, so that it can never disturb a study.

    Safe to use from many threads: who asks for the same page waits for the one that builds it.
    """

    def __init__(self, root: Path, clock: Callable[[], float] = time.time) -> None:
        self._store = StoreLayout(root.absolute())
        self._clock = clock
        self._analysis = AnalysisProcess(root)
        self._building = threading.Lock()
        self._pages: dict[str, tuple[str, bytes]] = {}

    def stamp(self) -> str:
        """Changes whenever the snapshot or an analysis does; costs one look at the file."""
        try:
            found = self._store.snapshot.stat()
        except FileNotFoundError:
            return f"none-{self._analysis.n_done}"
        # A snapshot is published by a rename, so that the inode alone tells two of the same moment apart on file
        # systems with coarse times.
        return f"{found.st_ino}-{found.st_mtime_ns}-{found.st_size}-{self._analysis.n_done}"

    def page(self, study: str | None) -> bytes:
        """The page's document as JSON.

        Raises:
            NotFoundError: There is no history, or it holds no such study.
        """
        key = study or ""
        # One lock for all pages: two visitors of the same page would else build it twice, and builds of two studies
        # would only share the cores. The stamp is taken before, so that a snapshot published meanwhile is built at the
        # next question.
        with self._building:
            stamp = self.stamp()
            kept = self._pages.get(key)
            if kept and kept[0] == stamp:
                return kept[1]
            page: StudyPage = build_page(self._store.root, study, self._clock(), self._analysis.analyse)
            content = page.model_dump_json().encode()
            # Taken out and put in again, which makes it the newest of the dictionary: the first is then the one to
            # evict.
            self._pages.pop(key, None)
            self._pages[key] = (stamp, content)
            if len(self._pages) > MOST_KEPT:
                self._pages.pop(next(iter(self._pages)))
            return content

    def trials(self, study: str) -> bytes:
        """The columns of all trials, as JSON; `null` where the page draws them all.

        Raises:
            NotFoundError: There is no history, or it holds no such study.
        """
        with StudyReader(self._store.root, study, fresh=False) as reader:
            found = all_trials(reader.file, reader.spec)
        return b"null" if found is None else found.model_dump_json().encode()

    def trial(self, study: str, number: int) -> bytes:
        """All that is known of one trial, as JSON.

        Raises:
            NotFoundError: There is no history, or it holds no such study or trial.
        """
        with StudyReader(self._store.root, study, fresh=False) as reader:
            return trial_life(reader.file, reader.spec, number).model_dump_json().encode()

    def compared(self, names: Sequence[str]) -> bytes:
        """Some studies beside each other, as JSON.

        Raises:
            NotFoundError: There is no history, or it holds no such study.
            PageError: Too few are named, or too many.
        """
        return compared_studies(self._store.root, names, self._analysis.analyse).model_dump_json().encode()

    def studies(self) -> tuple[StudyRow, ...]:
        """All studies, the one that changed last comes first.

        Raises:
            NotFoundError: There is no history.
        """
        with HistoryFile(self._store) as file:
            return study_rows(file)

    def close(self) -> None:
        """End what is being computed."""
        self._analysis.close()
