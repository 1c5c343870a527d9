"""`pegbox run`: runs a study as a Prefect flow in this process, and shows it; all of the tuning happens in `flows`."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from pegbox.cli import terminal
from pegbox.cli.answer_panel import draw_answer, frame
from pegbox.cli.console import err, out, print_json, show
from pegbox.cli.live import LiveView, PublishedStudy
from pegbox.cli.options import DEFAULT_STORE, QUIET, Json, Store, Verbosity
from pegbox.cli.validate import StudyPath, read_checked_study
from pegbox.schemas.study import StudySpec
from pegbox.storage.layout import StoreLayout

TARGET_MISSED = 4
SETTINGS = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_COLORS": "false",
    "PREFECT_SHOW_CLI_BANNER": "false",
}
"""Unless the user has set them; Prefect reads them when it is imported."""


def run(
    study_file: StudyPath, *, store: Store = DEFAULT_STORE, json: Json = False, verbosity: Verbosity = QUIET
) -> int:
    """Run a study, or go on with it.

    The same command again resumes or extends it. Ctrl-C lets running trials finish, a second one stops at once; either way the same command goes on later.

    Returns:
        0, or 4 where the study's target was missed.
    """
    from pegbox.storage.store import open_store

    study = read_checked_study(study_file)
    layout = open_store(store)
    log = _log_file(layout)
    if not verbosity.verbose:
        terminal.hush(log)
    published = PublishedStudy(store, study.spec.name, is_driver=True)
    published.skip_finished()
    view = LiveView(err(), published, names_process=os.getpid())
    with view.open(), _signals_told(view):
        _drive(study.spec, layout, view)
    return _answer(study.spec, store, json)


def _drive(spec: StudySpec, layout: StoreLayout, view: LiveView) -> None:
    """Start what the flow needs, all of it at once, then run it."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    from pegbox.flows.server import prefect_server, wait_until_healthy
    from pegbox.tasks.crew import start_early

    view.waiting_for("loading Prefect and the training libraries")
    start_early(spec)
    with prefect_server(layout.root / "prefect", layout.logs / "prefect-server.log") as url:
        from pegbox.flows.tune import tune

        if url:
            view.waiting_for("Prefect's server (half a minute the first time, a few seconds later on)")
            wait_until_healthy(url)
        view.waiting_for("preparing the data and starting the workers")
        tune(spec, layout.root)


@contextmanager
def _signals_told(view: LiveView) -> Iterator[None]:
    """Before the flow has its own handlers a signal ends the run; afterwards this one is told of the first."""

    def hear(number: int, frame: FrameType | None) -> None:
        if signal.getsignal(number) is hear:
            raise KeyboardInterrupt
        view.notice("Interrupted: running trials are finishing. Ctrl-C again stops at once.")

    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _answer(spec: StudySpec, store: Path, as_json: bool) -> int:
    from pegbox.report.answer import study_answer

    answer = study_answer(store, spec.name)
    if as_json:
        print_json(answer)
    else:
        console = out()
        show(console, frame(answer, console.width) if console.is_terminal else draw_answer(answer))
    return TARGET_MISSED if answer.is_target_reached is False else 0


def _log_file(layout: StoreLayout) -> Path:
    return layout.logs / f"run-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
