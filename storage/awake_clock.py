"""Counts the time that this process was awake; time that a suspended machine or a stopped process slept is left out."""

import threading
import time

TICK_SECONDS = 0.5
ASLEEP_SECONDS = 5.0
"""A longer gap between two ticks was no running time."""


class AwakeClock:
    """Runs from its making on; once started, it notices sleep until it is stopped. Any thread may read it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds = 0.0
        self._ticked_at = time.monotonic()
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin to look again and again whether time passed in one leap."""
        threading.Thread(target=self._run, name="pegbox-clock", daemon=True).start()

    def read(self) -> float:
        """Seconds awake so far."""
        with self._lock:
            now = time.monotonic()
            gap, self._ticked_at = now - self._ticked_at, now
            if gap < ASLEEP_SECONDS:
                self._seconds += gap
            return self._seconds

    def stop(self) -> None:
        """Let its thread end."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(TICK_SECONDS):
            self.read()
