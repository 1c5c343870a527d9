"""Checkpoint cleanup while a study runs, by the policy of its file; what is needed is asked of the history."""

import time

from pegbox.storage.garbage import drop_checkpoints
from pegbox.storage.ingest import ingest
from pegbox.storage.study_log import StudyLog
from pegbox.training.atomic_files import remove_unfinished

# Picked by hand: a look reads the history and the directory; checkpoints of half a minute seldom fill a disk.
LOOK_SECONDS = 30.0


class CheckpointCleanup:
    """Keeps the checkpoints of one study to `run.checkpoints`, once in a while and at the end of its run."""

    def __init__(self, study: StudyLog) -> None:
        """Begin by removing what killed workers of earlier runs left half written."""
        self._study = study
        self._looked_at = time.monotonic()
        remove_unfinished(study.store.checkpoints)

    def look(self) -> None:
        """Delete what is left behind, if it is time to look again."""
        if time.monotonic() - self._looked_at > LOOK_SECONDS:
            self._drop()
            self._looked_at = time.monotonic()

    def finish(self) -> None:
        """Delete all that only the search and the choice of a winner needed."""
        if self._study.history.spec.run.checkpoints != "all":
            # What may go is asked of the published history, so the last trials must be in it first.
            ingest(self._study.store, wait=True, force=True)
        self._drop()

    def _drop(self) -> None:
        spec = self._study.history.spec
        if spec.run.checkpoints != "all":
            drop_checkpoints(self._study.store, spec.name, spec.run.checkpoints)
