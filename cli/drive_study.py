"""Drives a study in this process and shows it; all of the tuning happens in `flows`."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from pegbox.cli import BEGAN, terminal
from pegbox.cli.answer_panel import show_answer
from pegbox.cli.console import err, out, print_error, print_json
from pegbox.cli.live import LiveView, PublishedStudy
from pegbox.flows.served_run import run_served
from pegbox.report.answer import study_answer
from pegbox.schemas.study import StudySpec
from pegbox.storage.store import open_store

TARGET_MISSED = 4


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
        _, notices = run_served(spec, layout, view.waiting_for, began=BEGAN)
    for notice in notices:
        print_error(notice, "warning")
    answer = study_answer(store, spec.name)
    if as_json:
        print_json(answer)
    else:
        show_answer(out(), answer)
    return TARGET_MISSED if answer.is_target_reached is False else 0


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
