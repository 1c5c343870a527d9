"""Computes the analysis of live pages in a process of its own, so that the host stays quick; draws nothing.

Run as a program with a store and a study it prints the analysis as JSON.
"""

import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from pydantic import ValidationError

from pegbox.page.answer_block import sureness
from pegbox.page.document import Analysis, Knobs
from pegbox.report.status import StudyStatus
from pegbox.schemas.selection import Selection
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.studies import history_version

REST_FACTOR = 3.0
"""While a study runs, an analysis rests this many times as long as it took."""
MOST_SECONDS = 300.0


class Analyst:
    """Keeps the last analysis of each study, and computes a newer one where it is out of date."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._guard = threading.Lock()
        self._known: dict[str, Analysis] = {}
        self._tried: dict[str, int] = {}
        self._rest_until: dict[str, float] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = False
        self.n_done = 0
        """Counts the analyses, so that readers see when one is new."""

    def analyse(self, file: HistoryFile, spec: StudySpec, status: StudyStatus, selection: Selection | None) -> Analysis:
        """The last analysis, with today's finalists; a newer one is begun where the history has moved on."""
        sure = sureness(selection, status.counts.get(TrialState.COMPLETED, 0))
        version = history_version(file, spec.name)
        self._want(spec.name, version)
        with self._guard:
            known = self._known.get(spec.name)
        if known is None:
            return Analysis(version=0, sureness=sure, knobs=Knobs(sentence="Being computed."))
        is_old = known.version < version
        note = "Computed a moment ago, from fewer trials." if is_old and not known.knobs.note else known.knobs.note
        return known.model_copy(update={"sureness": sure, "knobs": known.knobs.model_copy(update={"note": note})})

    def close(self) -> None:
        """End the process that computes."""
        with self._guard:
            self._is_closed = True
            if self._process is not None:
                self._process.kill()

    def _want(self, study: str, version: int) -> None:
        with self._guard:
            is_tried = self._tried.get(study, -1) >= version
            rests = time.monotonic() < self._rest_until.get(study, 0.0)
            if is_tried or rests or self._process is not None or self._is_closed:
                return
            command = [sys.executable, "-m", "pegbox.page.analysis_process", str(self._root), study]
            self._tried[study] = version
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603
            process = self._process
        threading.Thread(target=self._gather, args=(study, process), name="pegbox-analysis", daemon=True).start()

    def _gather(self, study: str, process: subprocess.Popen[bytes]) -> None:
        began = time.monotonic()
        try:
            output, _ = process.communicate(timeout=MOST_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
        with self._guard:
            self._process = None
            self._rest_until[study] = time.monotonic() + REST_FACTOR * (time.monotonic() - began)
            # A process that failed leaves the earlier analysis in place; the next change of the history tries again.
            with contextlib.suppress(ValidationError):
                self._known[study] = Analysis.model_validate_json(output)
            self.n_done += 1


def main() -> None:
    """Print the analysis of one study."""
    from pegbox.page.analysis_blocks import analyse
    from pegbox.report.study_reader import StudyReader
    from pegbox.storage.layout import StoreLayout

    os.nice(5)
    root, study = Path(sys.argv[1]), sys.argv[2]
    with StudyReader(root, study, fresh=False) as reader, HistoryFile(StoreLayout(root)) as file:
        found = analyse(file, reader.spec, reader.status(), reader.selection())
    sys.stdout.write(found.model_dump_json())


if __name__ == "__main__":
    main()
