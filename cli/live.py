"""Shows a study while it runs: a picture on a terminal, a line for each finished trial elsewhere; drives nothing."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.text import Text

from pegbox.cli import terminal
from pegbox.cli.console import safe
from pegbox.cli.data_lines import draw_data
from pegbox.cli.incumbent_text import first_line
from pegbox.cli.live_panel import draw_panel, draw_start
from pegbox.report.finished_trials import finished_trials
from pegbox.report.number_format import duration, metric, parameter
from pegbox.report.status import FinishedTrial, StudyStatus
from pegbox.schemas.errors import PegboxError
from pegbox.schemas.trial import TrialState
from pegbox.storage.layout import StoreLayout

# Picked by hand: the clock runs smoothly, while a look costs one stat of a file as long as nothing is published.
FRAME_SECONDS = 0.25
# Picked by hand: a line for each trial is for the eye; all parameters stand in the history.
MOST_PARAMETERS = 8


class Watched(Protocol):
    """What a view shows: how the study stands, and which trials ended since it was last asked."""

    def look(self) -> tuple[StudyStatus, tuple[FinishedTrial, ...]] | None:
        """None where there is nothing new."""
        ...


class PublishedStudy:
    """A study as its store publishes it; looks again only when there is a new snapshot.

    Args:
        root: The store.
        study: Its name.
        is_driver: True in the process that runs the study.
    """

    def __init__(self, root: Path, study: str | None, *, is_driver: bool) -> None:
        self._root = root
        self._study = study
        self._is_driver = is_driver
        self._snapshot = StoreLayout(root.absolute()).snapshot
        self._seen_snapshot = 0
        self._seen_trials: set[int] = set()

    def skip_finished(self) -> None:
        """What ended before this moment is no news."""
        with contextlib.suppress(PegboxError):
            self.look()

    def look(self) -> tuple[StudyStatus, tuple[FinishedTrial, ...]] | None:
        """How the study stands, and the trials that ended since the last look; None where there is nothing new.

        Raises:
            PegboxError: The history cannot be read, or does not hold the study yet.
        """
        from pegbox.report.study_reader import StudyReader

        # Before it is read: what is published in between is then seen at the next look, and nothing is missed.
        changed = self._changed()
        if changed == self._seen_snapshot:
            return None
        with StudyReader(self._root, self._study, fresh=False, is_driver=self._is_driver) as reader:
            finished = finished_trials(reader.file, reader.spec, sorted(self._seen_trials))
            status = reader.status()
        self._seen_snapshot = changed
        self._seen_trials.update(trial.trial for trial in finished)
        return status, finished

    def introduction(self) -> tuple[Text, ...]:
        """What the data was taken for, a line each; nothing where the study names none.

        Raises:
            PegboxError: The history cannot be read.
        """
        from pegbox.report.study_reader import StudyReader

        with StudyReader(self._root, self._study, fresh=False, is_driver=self._is_driver) as reader:
            understood, spec = reader.understanding(), reader.spec
        return draw_data(understood, spec) if understood else ()

    def _changed(self) -> int:
        try:
            return self._snapshot.stat().st_mtime_ns
        except OSError:
            return 0


class LiveView:
    """Draws a study until it is closed, from a thread of its own.

    Args:
        console: Where to draw.
        watched: What to draw.
        process: The process whose run is meant; what an earlier run left behind is not drawn. None for any.
        introduce: Gives what is told once, before the first trial.
    """

    def __init__(
        self,
        console: Console,
        watched: Watched,
        process: int | None = None,
        introduce: Callable[[], tuple[Text, ...]] = tuple,
    ) -> None:
        self._console = console
        self._watched = watched
        self._process = process
        self._introduce = introduce
        self._started_at = time.monotonic()
        self._waiting_for = "…"
        self._notice = ""
        self._status: StudyStatus | None = None
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._live = (
            # No refreshing by rich, whose thread would draw beside ours; transient, because the answer takes the
            # picture's place; no redirecting, since the descriptors lead to a log already.
            Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False)
            if console.is_terminal
            else None
        )
        # A daemon: an error in the study must end the process even while a picture is being drawn.
        self._thread = threading.Thread(target=self._draw_until_closed, name="pegbox-view", daemon=True)

    @property
    def status(self) -> StudyStatus | None:
        """What was drawn last."""
        return self._status

    @contextlib.contextmanager
    def open(self) -> Iterator["LiveView"]:
        """Draw as long as the block lasts, and once more at its end."""
        with self._live or contextlib.nullcontext(), terminal.silent_control_keys():
            self._thread.start()
            try:
                yield self
            finally:
                self._closed.set()
                # Ended before the last update, so that never two draw at once.
                self._thread.join()
                self._update()

    def waiting_for(self, what: str) -> None:
        """Say what the start waits for, at once."""
        self._waiting_for = what
        if self._live:
            self._draw()
        else:
            self._console.print(f"starting: {what}")

    def notice(self, text: str) -> None:
        """Tell the user something now."""
        self._notice = text
        if not self._live:
            self._console.print(text)

    def _draw_until_closed(self) -> None:
        while not self._closed.wait(FRAME_SECONDS):
            self._update()

    def _update(self) -> None:
        # A view never ends a study: what cannot be read now may be read at the next frame.
        with self._lock, contextlib.suppress(PegboxError):
            if looked := self._watched.look():
                status, finished = looked
                if self._is_ours(status):
                    self._tell_news(status, finished)
                    self._status = status
        self._draw()

    def _is_ours(self, status: StudyStatus) -> bool:
        return self._process is None or (status.run is not None and status.run.pid == self._process)

    def _draw(self) -> None:
        if self._live is None:
            return
        if self._status is None or self._status.phase == "waiting":
            seconds = time.monotonic() - self._started_at
            self._live.update(draw_start(self._waiting_for, seconds, self._console.width), refresh=True)
        else:
            self._live.update(draw_panel(self._status, self._console.width, self._notice), refresh=True)

    def _tell_news(self, status: StudyStatus, finished: Sequence[FinishedTrial]) -> None:
        """The finished trials and, where no picture has it, what `auto` chose and why the search ended."""
        before = self._status
        if before is None:
            for line in self._introduce():
                self._console.print(line, soft_wrap=True)
        if self._live is None and before is None and status.method_reason is not None:
            self._console.print(f"auto chose {safe(status.method)}: {safe(status.method_reason)}", soft_wrap=True)
        if status.understood is not None and (before is None or before.understood is None):
            self._console.print(safe(status.understood), soft_wrap=True)
        for trial in finished:
            self._tell(trial, status)
        if self._live is None and status.search_end is not None and (before is None or before.search_end is None):
            self._console.print(f"search ended: {safe(status.search_end)}", soft_wrap=True)

    def _tell(self, trial: FinishedTrial, status: StudyStatus) -> None:
        """A line for each finished trial; above a picture only for those that say something new."""
        is_best = _is_best(trial, status)
        if self._live is None or is_best or trial.state is TrialState.FAILED:
            line = trial_line(trial, status, is_best)
            if self._live:
                # A line that wraps would shift the picture below it, which rich clears by counting its own lines.
                line.truncate(self._console.width, overflow="ellipsis")
            self._console.print(line, soft_wrap=True)


def _is_best(trial: FinishedTrial, status: StudyStatus) -> bool:
    """True if a trial was the best when it ended, or is on the front of several objectives."""
    if status.front is None:
        return trial.is_best
    return any(one.trial == trial.trial for one in status.front.trials)


def trial_line(trial: FinishedTrial, status: StudyStatus, is_best: bool) -> Text:
    """`trial 17  completed  val_loss 0.0831  best so far  4.2 s  lr=1.2e-3 units=128`."""
    parts = [Text(f"trial {trial.trial:<4}"), Text(trial.state.value, style="bad" if trial.failure else "")]
    if trial.failure:
        parts.append(Text(f"{trial.failure.value.replace('_', ' ')}: {safe(first_line(trial.message))}", style="bad"))
    else:
        parts += [Text.assemble((safe(name), "metric"), " ", metric(value)) for name, value in trial.values.items()]
    if is_best:
        parts.append(Text("best so far" if status.front is None else "on the front", style="good"))
    if trial.broken:
        parts.append(Text(f"breaks {safe(', '.join(trial.broken))}", style="warn"))
    if trial.seconds is not None:
        parts.append(Text(duration(trial.seconds), style="quiet"))
    shown = list(trial.configuration.items())
    words = [f"{safe(name)}={safe(parameter(value))}" for name, value in shown[:MOST_PARAMETERS]]
    more = [f"+{len(shown) - MOST_PARAMETERS} more"] if len(shown) > MOST_PARAMETERS else []
    parts.append(Text(" ".join([*words, *more]), style="quiet"))
    return Text("  ").join(parts)
