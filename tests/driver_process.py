"""A run of the hill in a process of its own, so that it can be killed, interrupted and started again."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import open_history

PATIENCE_SECONDS = 600.0
"""For what hangs: at a load of 30 a run of five seconds takes minutes."""

DRIVE = """
import sys
from pathlib import Path
from pegbox.flows.prefect_server.server_loss import server_loss_told
from pegbox.flows.tune import tune
from pegbox.schemas.errors import PegboxError
from pegbox.schemas.study import StudySpec
from pegbox.storage.layout import StoreLayout

try:
    spec, store = StudySpec.model_validate_json(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    with server_loss_told(StoreLayout(store.absolute()), spec.name) as told:
        tune(spec, store)
    print(*told.notices)
except PegboxError as error:
    print(error)
    sys.exit(error.exit_code)
"""


class DriverProcess:
    """A process that runs a study with `tune`.

    Args:
        spec: The study.
        project: Its working directory.
        api: The Prefect server's address.
        store: The store's directory below the project.
        retries: How often it asks a server again that is busy, or gone.
    """

    def __init__(self, spec: StudySpec, project: Path, api: str, store: str = "store", retries: int = 4) -> None:
        self._project = project
        path = project / f"{spec.name}-{store}.json"
        path.write_text(spec.model_dump_json())
        self.process = subprocess.Popen(
            [sys.executable, "-c", DRIVE, str(path), store],
            cwd=project,
            env={**os.environ, "PREFECT_API_URL": api, "PREFECT_CLIENT_MAX_RETRIES": str(retries)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def pid(self) -> int:
        return self.process.pid

    def is_running(self) -> bool:
        return self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        """As if the machine's power had gone, for this process alone."""
        self.process.kill()
        self.finish()

    def finish(self) -> tuple[int, str]:
        """Exit code and output, once it has ended."""
        output, _ = self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode, output

    def wait_for_calls(self, count: int) -> None:
        """Until so many trainings have begun."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(calls(self._project)) < count:
            assert self.is_running(), self.process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.02)


def calls(project: Path) -> list[str]:
    """The x of every training that has begun, in order."""
    path = project / "calls.txt"
    return path.read_text().splitlines() if path.exists() else []


def history_of(project: Path, store: str = "store", study: str = "hill") -> History:
    return open_history(project / store).history(study)
