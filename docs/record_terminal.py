"""Runs `pegbox demo` and records what its terminal shows, as docs/run.svg and docs/answer.svg.

python docs/record_terminal.py
"""

import contextlib
import re
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console, RenderableType

from pegbox.cli.answer_panel import frame
from pegbox.cli.console import THEME
from pegbox.cli.live import trial_line
from pegbox.cli.live_panel import draw_panel
from pegbox.report.answer import study_answer
from pegbox.report.finished_trials import finished_trials
from pegbox.report.status import FinishedTrial, StudyStatus
from pegbox.report.study_reader import StudyReader
from pegbox.schemas.errors import PegboxError

DOCS = Path(__file__).resolve().parent
STORE = Path(".pegbox")
WIDTH = 100
SHARE = 0.75
"""How much of the budget is used when the running study is drawn."""


def main() -> None:
    """Record both pictures."""
    with TemporaryDirectory(prefix="pegbox-") as folder, contextlib.chdir(folder):
        pegbox = Path(sys.executable).with_name("pegbox")
        with subprocess.Popen([pegbox, "demo"]) as process:  # noqa: S603
            status, finished = _when_far_enough(process)
            _record("run", *_best_lines(status, finished), draw_panel(status, WIDTH))
            process.wait()
        _record("answer", frame(study_answer(STORE), WIDTH))


def _when_far_enough(process: subprocess.Popen[bytes]) -> tuple[StudyStatus, tuple[FinishedTrial, ...]]:
    """The study once enough of its trials are done and each worker has reported something."""
    while process.poll() is None:
        time.sleep(0.5)
        try:
            with StudyReader(STORE, fresh=False) as reader:
                status, finished = reader.status(), finished_trials(reader.file, reader.spec)
        except PegboxError:  # not begun yet
            continue
        is_far = bool(status.budget) and status.budget[0].share >= SHARE and status.phase == "searching"
        if is_far and len(status.running) == status.workers and all(len(one.curve) > 2 for one in status.running):
            return status, finished
    raise SystemExit("The study ended before it could be drawn.")


def _best_lines(status: StudyStatus, finished: tuple[FinishedTrial, ...]) -> list[RenderableType]:
    """The line of each trial that was the best so far, as they stand above the picture."""
    lines: list[RenderableType] = []
    best = float("inf")
    for trial in finished:
        loss = status.objectives[0].loss(trial.values[status.metric])
        if loss < best:
            best = loss
            line = trial_line(trial, status, is_best=True)
            line.truncate(WIDTH, overflow="ellipsis")
            lines.append(line)
    return lines


def _record(name: str, *drawn: RenderableType) -> None:
    with Path("/dev/null").open("w") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, theme=THEME, force_terminal=True, highlight=False)
        for one in drawn:
            console.print(one)
    drawing = console.export_svg(title="pegbox demo")
    offline = re.sub(r"\s*@font-face \{.*?\}\n", "\n", drawing, flags=re.DOTALL)  # a picture asks no other host
    (DOCS / f"{name}.svg").write_text(offline, encoding="utf-8")


if __name__ == "__main__":
    main()
