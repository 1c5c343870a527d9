"""What visitors of the live page may do to studies, with `--allow-control`; asks the command line to do it."""

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Literal

from pydantic import Field

from pegbox.schemas.base import Schema
from pegbox.schemas.errors import PageError
from pegbox.storage.layout import StoreLayout

# Picked by hand: a command that refuses says so within seconds; one that lives on drives the study by then.
SETTLE_SECONDS = 12.0
_POLL_SECONDS = 0.1
_MOST_SAID = 2000
"""Characters of what a command said, from its end."""


class Wish(Schema):
    """What a visitor wants of a study."""

    study: str
    action: Literal["stop", "extend", "retry"]
    trials: int | None = Field(default=None, ge=1, le=10_000_000)
    """To extend: the budget of trials from now on."""
    trial: int | None = Field(default=None, ge=0)
    """To retry: one that failed; all where it is None."""


class Control:
    """Runs `pegbox stop`, `resume` and `retry`: one way for page and terminal, with the same refusals.

    Args:
        root: The store.
    """

    def __init__(self, root: Path) -> None:
        self._store = StoreLayout(root.absolute())

    def fulfil(self, wish: Wish) -> str:
        """Do it, or begin it; gives what the command said so far.

        Raises:
            PageError: The command refused, with its words; or the wish is not whole.
        """
        self._store.root.joinpath("logs").mkdir(mode=0o700, exist_ok=True)
        log = self._store.root / "logs" / f"page-{time.time_ns()}.log"
        with log.open("wb") as file:
            # A session of its own: a study that is driven from here goes on when the page is closed.
            process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-c", "from pegbox.cli.app import main; main()", *self._arguments(wish)],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        # Whoever begins a process must hear of its end, or it stays a zombie for as long as the page is served.
        threading.Thread(target=process.wait, name="pegbox-control", daemon=True).start()
        until = time.monotonic() + SETTLE_SECONDS
        while process.poll() is None and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)
        said = log.read_text(encoding="utf-8", errors="replace").strip()[-_MOST_SAID:]
        if process.returncode:
            raise PageError(f"pegbox {wish.action} refused: {said or f'exit status {process.returncode}'}")
        return said or "Begun."

    def _arguments(self, wish: Wish) -> list[str]:
        # Behind `--`, so that a study whose name begins with a hyphen is no option.
        end = ["--store", str(self._store.root), "--", wish.study]
        match wish.action:
            case "stop":
                return ["stop", *end]
            case "retry":
                return ["retry", *(["--trial", str(wish.trial)] if wish.trial is not None else []), *end]
            case "extend":
                if wish.trials is None:
                    raise PageError("To extend a study takes a budget of trials, such as trials=200; got none.")
                return ["resume", "--set", f"budget.trials={wish.trials}", *end]
