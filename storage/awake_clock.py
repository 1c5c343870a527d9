"""A monotonic clock of the time that this process was awake; what a suspended machine slept is left out."""

import threading
import time

# Picked by hand: a tenth of `ASLEEP_SECONDS`, so that a machine under load that ticks late is not taken for asleep, at
# the price of two wake-ups a second.
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
        # Reader and ticking thread both move the mark; unguarded, a gap would count twice.
        with self._lock:
            # Not the wall clock, which leaps. Linux lets this one stand still while the machine is suspended, but not
            # while the process is stopped (SIGSTOP, a frozen container): only the gap between two ticks tells of that.
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
