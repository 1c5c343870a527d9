"""Computes the analysis of live pages in a process of its own, so that the host stays quick; draws nothing.

Run as a program with a store and a study it prints the explanation as JSON, and keeps it in the store for all readers.
"""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from pydantic import ValidationError

from pegbox.page.analysis_blocks import analysis_of
from pegbox.page.analysis_document import Analysis, Knobs
from pegbox.page.answer_block import sureness
from pegbox.report.explanation import Explanation
from pegbox.report.explanation_cache import ExplanationCache
from pegbox.report.next_steps import next_steps
from pegbox.report.status import StudyStatus
from pegbox.schemas.selection import Selection
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.layout import StoreLayout
from pegbox.storage.queries.studies import history_version, study_names

# Picked by hand: with it the analysis takes at most a quarter of one core from the study that is being watched.
REST_FACTOR = 3.0
"""While a study runs, an analysis rests this many times as long as it took."""
# Picked by hand, and far above what is usual: an analysis that hangs must not keep the live page without one for ever.
MOST_SECONDS = 300.0
FAILED = "The analysis could not be computed. `pegbox explain` says why."


class AnalysisProcess:
    """Knows the last explanation of each study, and has a newer one computed where it is out of date."""

    def __init__(self, root: Path) -> None:
        self._store = StoreLayout(root.absolute())
        self._guard = threading.Lock()
        self._known: dict[str, Explanation] = {}
        # The version that was last begun: one that failed is not begun again until the history has something new.
        self._tried: dict[str, int] = {}
        self._failed: set[str] = set()
        self._rest_until: dict[str, float] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = False
        self.n_done = 0
        """Counts the analyses, so that readers see when one is new."""

    def analyse(self, file: HistoryFile, spec: StudySpec, status: StudyStatus, selection: Selection | None) -> Analysis:
        """The last analysis, with today's finalists; a newer one is begun where the history has moved on."""
        version, names = history_version(file, spec.name), study_names(file)
        known = self._last(spec.name, version)
        if known is not None and known.version == version:
            return analysis_of(known, spec, status, selection, steps=next_steps(status, known.advice, names))
        self._want(spec.name, version)
        if known is not None:
            steps = next_steps(status, known.advice, names)
            return analysis_of(known, spec, status, selection, steps=steps, is_older=True)
        sure = sureness(selection, status.counts.get(TrialState.COMPLETED, 0))
        if spec.name in self._failed:
            return Analysis(state="failed", note=FAILED, version=0, sureness=sure, knobs=Knobs(sentence=FAILED))
        return Analysis(state="computing", version=0, sureness=sure, knobs=Knobs(sentence="Being computed."))

    def close(self) -> None:
        """End the process that computes."""
        with self._guard:
            self._is_closed = True
            if self._process is not None:
                self._process.kill()

    def _last(self, study: str, version: int) -> Explanation | None:
        """As this host has it; else as whoever explained the study last has left it in the store."""
        with self._guard:
            known = self._known.get(study)
        if known is not None and known.version == version:
            return known
        kept = ExplanationCache(self._store, study).last()
        if kept is None or (known is not None and kept.version < known.version):
            return known
        with self._guard:
            self._known[study] = kept
        return kept

    def _want(self, study: str, version: int) -> None:
        with self._guard:
            is_tried = self._tried.get(study, -1) >= version
            rests = time.monotonic() < self._rest_until.get(study, 0.0)
            # One process for all studies: two would take the cores from the training that they are about.
            if is_tried or rests or self._process is not None or self._is_closed:
                return
            # A process and not a thread: forests and effects hold the interpreter's lock, and the host would answer
            # nobody meanwhile. Its errors go nowhere, because a pipe that nobody reads fills up and blocks its writer.
            command = [sys.executable, "-m", "pegbox.page.analysis_process", str(self._store.root), study]
            self._tried[study] = version
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603
            process = self._process
        # Daemon, so that Ctrl-C on the host does not wait for an analysis.
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
            try:
                self._known[study] = Explanation.model_validate_json(output)
                self._failed.discard(study)
            except ValidationError:
                # The earlier analysis stays in place; the next change of the history tries again.
                self._failed.add(study)
            self.n_done += 1


def main() -> None:
    """Print the explanation of one study."""
    from pegbox.report.explain import explained
    from pegbox.report.study_reader import StudyReader

    # Below the workers that train, which it would slow down on a machine whose cores are all busy.
    os.nice(5)
    root, study = Path(sys.argv[1]), sys.argv[2]
    # Not fresh: to bring the store up to date is the driver's work, and the page only reads what is published.
    with StudyReader(root, study, fresh=False) as reader:
        found = explained(StoreLayout(root.absolute()), reader.file, reader.spec)
    sys.stdout.write(found.model_dump_json())


if __name__ == "__main__":
    main()
