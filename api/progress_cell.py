"""A live cell of a notebook that tells how a study stands while it runs; drives nothing, and its faults end nothing."""

import contextlib
import html
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pegbox.report.number_format import configuration, duration, metric
from pegbox.report.status import StudyStatus
from pegbox.schemas.trial import TrialState

# Picked by hand: what a person sees as live; each look reads the published history.
LOOK_SECONDS = 2.0
# Picked by hand: the last look takes less than a second, and a front end that went away must not hold the run.
LAST_SECONDS = 10.0
"""How long the end of a run waits for the last look."""

Show = Callable[[str], None]
"""Puts HTML in the place of what was shown before."""


class ProgressCell:
    """A context around a run: shows how the study stands, first and last of all where it ends.

    Args:
        root: The store.
        study: Its name.
        show: Where it is shown; None shows nothing.
    """

    def __init__(self, root: Path, study: str, show: Show | None) -> None:
        self._root, self._study, self._show = root, study, show
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="pegbox-cell", daemon=True)

    def __enter__(self) -> Self:
        if self._show is not None:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        if self._show is not None:
            self._thread.join(LAST_SECONDS)

    def _keep(self) -> None:
        assert self._show is not None
        shown = ""
        while True:
            is_over = self._closed.wait(LOOK_SECONDS)
            with contextlib.suppress(Exception):  # the first looks come before the study does, and a front end may go
                if (now := self._look()) != shown:
                    self._show(now)
                    shown = now
            if is_over:
                return

    def _look(self) -> str:
        from pegbox.report.study_reader import StudyReader

        with StudyReader(self._root, self._study, fresh=self._closed.is_set(), is_driver=True) as reader:
            return progress_html(reader.status())


def progress_html(status: StudyStatus) -> str:
    """How a study stands: a bar of the budget, what became of the trials, the best so far."""
    share = min(1.0, status.budget[0].share) if status.budget else 0.0
    counts = [f"{n} {state.value}" for state, n in status.counts.items() if n and state is not TrialState.PROPOSED]
    times = [duration(status.elapsed_seconds)]
    if status.seconds_left is not None:
        times.append(f"about {duration(status.seconds_left)} left")
    lines = [f"<b>{html.escape(status.study)}</b> {status.phase} · {', '.join(counts) or 'no trial yet'}"]
    lines.append(f'<progress value="{share:.3f}" max="1" style="width:24em"></progress> {", ".join(times)}')
    if status.incumbent is not None:
        values = ", ".join(f"{name} {metric(value)}" for name, value in status.incumbent.values.items())
        told = ", ".join(f"{name}={text}" for name, text in configuration(status.incumbent.configuration).items())
        lines.append(html.escape(f"best so far: {values} (trial {status.incumbent.trial}): {told}"))
    if status.failure is not None:
        lines.append(html.escape(f"last failure: {status.failure.message}"[:300]))
    return "<br>".join(lines)


def notebook_display() -> Show | None:
    """Where the notebook that this runs in shows a live cell; None outside of one. Loads neither IPython nor marimo."""
    if (marimo := sys.modules.get("marimo")) is not None and marimo.running_in_notebook():
        return lambda text: marimo.output.replace(marimo.Html(text))
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    # Not a terminal's IPython: a kernel has a front end that shows HTML.
    return _ipython_display() if type(shell).__name__ == "ZMQInteractiveShell" else None


def _ipython_display() -> Show:
    from IPython.display import HTML, display

    place: Any = display(HTML("pegbox begins …"), display_id=True)
    return lambda text: place.update(HTML(text))
