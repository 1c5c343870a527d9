"""Ends a run politely: the first signal lets running segments finish, the second stops at once."""

import signal
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
        self._before: dict[int, Handler] = {}

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

    def _catch(self, number: int, frame: FrameType | None) -> None:
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


def _ends_at_once(handler: Callable[..., Any]) -> bool:
    """Python's own handler of Ctrl-C raises, and so does the one of SIGTERM that Prefect sets for a flow."""
    return handler is signal.default_int_handler or handler.__module__.startswith("prefect.")
