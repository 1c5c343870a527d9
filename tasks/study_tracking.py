"""Shows a study in trackers while it runs, from a thread of its own, so that none can slow or end the study."""

import logging
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from pegbox.integrations.trackers import open_tracker
from pegbox.report.tracking import Tracking
from pegbox.schemas.tracked import Tracker
from pegbox.storage.layout import StoreLayout

# Picked by hand: a person looks at curves less often, and each look reads the published history.
EVERY_SECONDS = 5.0
# Picked by hand: a server that answers takes a second for what is left; one that does not must not hold the study.
LAST_SECONDS = 20.0
"""How long the end of a run waits for a tracker; what is missing then, `pegbox track` shows."""

_logger = logging.getLogger(__name__)


class StudyTracking:
    """One thread for each tracker of `run.track`."""

    def __init__(self, store: StoreLayout, study: str, trackers: Sequence[str]) -> None:
        self._store, self._study, self._trackers = store, study, trackers
        self._closed = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._threads = [
            threading.Thread(target=self._keep, args=(name,), name=f"pegbox-{name}", daemon=True)
            for name in self._trackers
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        for thread in self._threads if kind is not KeyboardInterrupt else ():
            thread.join(LAST_SECONDS)
            if thread.is_alive():
                self._warn(thread.name.removeprefix("pegbox-"), f"it did not answer within {LAST_SECONDS:.0f} s")

    def _keep(self, name: str) -> None:
        tracking: Tracking | None = None
        is_failing = False
        while True:
            is_over = self._closed.wait(EVERY_SECONDS)
            try:
                # Opened here: a server that is down is asked again, and the study goes on meanwhile.
                tracking = tracking or Tracking(self._store, self._study, self._open(name))
                tracking.finish() if is_over else tracking.catch_up()
                is_failing = False
            except Exception as error:  # noqa: BLE001 - whatever a tracker has, the study goes on
                if not is_failing:  # said once, until it works again
                    self._warn(name, f"{type(error).__name__}: {error}")
                is_failing = True
            if is_over:
                return

    def _open(self, name: str) -> Tracker:
        return open_tracker(name, self._study, self._store.root)

    def _warn(self, name: str, why: str) -> None:
        remedy = f"`pegbox track {self._study} {name}` shows what is missing"
        _logger.warning("%s is not shown in %s: %s. The study goes on; %s.", self._study, name, why, remedy)
