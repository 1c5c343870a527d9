"""Ends a run politely: the first signal lets running segments finish, the second stops at once."""

import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

Handler = Callable[[int, FrameType | None], Any] | int | None

SIGNALS = (signal.SIGINT, signal.SIGTERM, *((signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()))
"""Ctrl-C, `kill`, and a terminal that is closed."""


class Interruption:
    """Catches signals while a study runs in the main thread; elsewhere it never triggers.

    A handler that was set before (the command line's) is called as well, so that it can tell the user. A signal that is
    ignored stays ignored: `nohup` means that the study goes on.
    """

    def __init__(self) -> None:
        self.is_requested = False
        self.is_cancelled = False
        """True once Prefect ended the run: what is training is not let finish."""
        self._end: KeyboardInterrupt = KeyboardInterrupt()
        self._before: dict[int, Handler] = {}
        self._listeners: list[Callable[[], object]] = []

    def tell(self, listener: Callable[[], object]) -> None:
        """Have something called once the run is cancelled, in whichever thread hears of it."""
        self._listeners.append(listener)

    def cancel(self, end: KeyboardInterrupt) -> None:
        """End the run at once, wherever it is, by what is given; any thread may call it."""
        self._end = end
        self.is_requested = self.is_cancelled = True
        for listener in self._listeners:
            listener()
        # The main thread may be anywhere, in a training of minutes say; a signal is what reaches it there.
        if signal.SIGTERM in self._before and hasattr(signal, "pthread_kill"):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            heard = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
            self._before = {number: signal.signal(number, self._catch) for number in heard}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _catch(self, number: int, frame: FrameType | None) -> None:
        # Prefect's runner sends SIGTERM once, and kills after half a minute.
        if self.is_cancelled or (number == signal.SIGTERM and is_word_of_prefect()):
            raise self._end
        if self.is_requested:
            # A terminal that closes may say so twice, once by the kernel and once by the shell: no second request.
            if number in (signal.SIGINT, signal.SIGTERM):
                raise KeyboardInterrupt
            return
        self.is_requested = True
        # Prefect's handler of SIGTERM hides the one that was set before it; whoever hears of Ctrl-C is told instead.
        for before in (self._before[number], self._before.get(signal.SIGINT)):
            if callable(before) and not _ends_at_once(before):
                before(number, frame)
                return


def is_word_of_prefect() -> bool:
    """True where the Prefect runner that started this process has said that the flow run is to end, and why.

    It says so before its SIGTERM: by that its cancellation is told from a signal of somebody else's.
    """
    engine = sys.modules.get("prefect._internal.control_listener")
    # Prefect tells its engine by this alone (3.8.8). Where a later one has it no more, the server's states remain.
    intent = getattr(engine, "get_intent", lambda: None)
    return intent() is not None


def _ends_at_once(handler: Callable[..., Any]) -> bool:
    """Python's own handler of Ctrl-C raises, and so does the one of SIGTERM that Prefect sets for a flow."""
    return handler is signal.default_int_handler or handler.__module__.startswith("prefect.")
