"""Asks the process that drives a study to stop, from another terminal; waits for nothing, needs no Prefect."""

import os
import signal
import socket
from pathlib import Path
from typing import NamedTuple

from pegbox.schemas.errors import NotFoundError, StoreBusyError
from pegbox.storage.history_file import open_history
from pegbox.storage.layout import StoreLayout
from pegbox.storage.study_lock import study_holder


class Driver(NamedTuple):
    """The process that drives a study."""

    host: str
    pid: int


def stop_study(root: Path, study: str) -> Driver:
    """Send the study's driver what Ctrl-C would: once lets running trials finish, twice stops at once.

    Raises:
        NotFoundError: The store holds no such study, or nobody drives it.
        StoreBusyError: The driver cannot be reached: it is on another host, or belongs to another user.
    """
    driver = _driver_of(root, study)
    if driver.host != socket.gethostname():
        raise StoreBusyError(
            f"The study {study!r} is driven by process {driver.pid} on host {driver.host!r}, and a signal does not go "
            f"from {socket.gethostname()!r} to there. Run `pegbox stop` on that host."
        )
    try:
        os.kill(driver.pid, signal.SIGTERM)  # SIGINT is ignored by what a shell script starts with `&`
    except ProcessLookupError as error:
        raise StoreBusyError(
            f"The study {study!r} is driven by process {driver.pid}, which this process cannot see: it may live in "
            "another container. Stop it from there."
        ) from error
    except PermissionError as error:
        raise StoreBusyError(
            f"The study {study!r} is driven by process {driver.pid} of another user, who has to stop it."
        ) from error
    return driver


def _driver_of(root: Path, study: str) -> Driver:
    store = StoreLayout(root.absolute())
    holder = study_holder(store, study)
    if holder is None:
        with open_history(root) as file:
            file.trials(study)  # says which studies there are, if not this one
        raise NotFoundError(f"Nobody drives the study {study!r} now. `pegbox status` shows how it stands.")
    try:
        return Driver(str(holder["host"]), int(str(holder["pid"])))
    except (KeyError, ValueError) as error:
        raise StoreBusyError(
            f"The study {study!r} is driven by a process that has not said its name yet. Try again in a moment."
        ) from error
