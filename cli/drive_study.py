"""Drives a study in this process and shows it; all of the tuning happens in `flows`."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from pegbox.cli import terminal
from pegbox.cli.answer_panel import show_answer
from pegbox.cli.console import err, out, print_error, print_json
from pegbox.cli.live import LiveView, PublishedStudy
from pegbox.report.answer import study_answer
from pegbox.schemas.study import StudySpec
from pegbox.storage.layout import StoreLayout
from pegbox.storage.store import open_store

TARGET_MISSED = 4
SETTINGS = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_COLORS": "false",
}
"""Unless the user has set them; Prefect reads them when it is imported."""


def drive(spec: StudySpec, store: Path, *, as_json: bool, verbose: bool) -> int:
    """Run a study that was found valid to its end, and print its answer.

    Args:
        spec: What to run.
        store: Where its history is kept.
        as_json: Print the answer for programs.
        verbose: Leave to Prefect and the libraries the terminal; otherwise they write to a log of the store.

    Returns:
        0, or 4 where the study's target was missed.
    """
    layout = open_store(store)
    # Before anything starts a thread or a process: descriptors that were handed on earlier still lead to the terminal.
    if not verbose:
        terminal.hush(layout.logs / f"run-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log")
    published = PublishedStudy(store, spec.name, is_driver=True)
    # A resumed study has hundreds of trials that ended in earlier runs; they are no news to anybody.
    published.skip_finished()
    view = LiveView(err(), published, process=os.getpid(), introduce=published.introduction)
    with view.open(), _signals_told(view):
        notices = _run_flow(spec, layout, view)
    for notice in notices:
        print_error(notice, "warning")
    answer = study_answer(store, spec.name)
    if as_json:
        print_json(answer)
    else:
        show_answer(out(), answer)
    return TARGET_MISSED if answer.is_target_reached is False else 0


def _run_flow(spec: StudySpec, layout: StoreLayout, view: LiveView) -> list[str]:
    """Start what the flow needs, all of it at once, then run it; gives what there is to say of it."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    # Imported after the settings, which Prefect reads once, when it is imported.
    from pegbox.execution.crew import start_early
    from pegbox.flows.prefect_server.server_loss import server_loss_told
    from pegbox.flows.prefect_server.shared_server import prefect_server, wait_until_healthy

    view.waiting_for("loading Prefect and the training libraries")
    # Workers before the server: they load torch while it comes up. To the first task it took 7 seconds on an idle
    # machine, and 14 with an empty home (Prefect 3.8.8).
    start_early(spec)
    with prefect_server(layout.root / "prefect", layout.logs / "prefect-server.log") as url:
        from pegbox.flows.tune import tune

        if url:
            view.waiting_for("Prefect's server, which takes a while the first time")
            wait_until_healthy(url)
        view.waiting_for("preparing the data and starting the workers")
        with server_loss_told(layout, spec.name) as told:
            tune(spec, layout.root)
    return told.notices


@contextmanager
def _signals_told(view: LiveView) -> Iterator[None]:
    """Before the flow has its own handlers a signal ends the run; afterwards this one is told of the first."""

    def hear(number: int, frame: FrameType | None) -> None:
        # The flow has not taken the signals over yet, so that there is no trial to let finish.
        if signal.getsignal(number) is hear:
            raise KeyboardInterrupt
        with suppress(OSError):  # the terminal that was closed
            view.notice("Interrupted: running trials are finishing. Ctrl-C again stops at once.")

    # What is ignored stays ignored: with `nohup` a study outlives its terminal, with `&` in a script its Ctrl-C.
    asking = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, hear) for number in asking if signal.getsignal(number) != signal.SIG_IGN}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
