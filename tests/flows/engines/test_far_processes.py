"""A cluster whose processes live in directories and environments of their own, as on other machines; one is killed."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from driver_process import DriverProcess, history_of

from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import open_history

pytestmark = [pytest.mark.flow, pytest.mark.long, pytest.mark.timeout(900)]

TRAIN = '''
"""A hill that says on which machine and in which folder it is trained, and what it sees of the driver's variables."""

import os
import time
from pathlib import Path


def run(x, trial):
    with Path({said!r}).open("a") as calls:
        calls.write(f"{{os.environ['WHO']}} {{os.getcwd()}} {{os.environ.get('OF_THE_DRIVER')}}\\n")
    for step in range(3):
        time.sleep(0.3)
        trial.report(step + 1, value=(x - 0.3) ** 2 + 3 - step)
    return {{"value": (x - 0.3) ** 2}}
'''


class Machines:
    """Processes of a Dask cluster, each in a folder of its own, without the variables of this process."""

    def __init__(self, root: Path, api: str) -> None:
        self.root = root
        self._api = api
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *arguments: str) -> None:
        home = self.root / name
        (home / "tmp").mkdir(parents=True)
        secret = {"PREFECT_API_AUTH_STRING": os.environ.get("PREFECT_API_AUTH_STRING", "")}
        with (home / "log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=home,
                env={
                    "PATH": os.defpath,
                    "HOME": str(home),
                    "TMPDIR": str(home / "tmp"),
                    "WHO": name,
                    "PREFECT_API_URL": self._api,
                    **secret,
                },
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def end(self) -> None:
        for process in reversed(self.processes.values()):
            process.kill()
            process.wait()


@pytest.fixture
def machines(prefect_api: str) -> Iterator[Machines]:
    with tempfile.TemporaryDirectory() as folder:  # a short path, because sockets are made below it
        made = Machines(Path(folder), prefect_api)
        yield made
        made.end()


def _wait_for(what: Callable[[], bool], process: DriverProcess | None = None) -> None:
    deadline = time.monotonic() + 300
    while not what():
        assert time.monotonic() < deadline
        assert process is None or process.is_running(), process.finish()[1]
        time.sleep(0.05)


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def test_a_worker_of_another_machine_is_killed_and_its_trials_are_trained_by_the_other(
    project: Path, prefect_api: str, hill: Callable[..., StudySpec], machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = project / "said.txt"
    (project / "hill.py").write_text(TRAIN.format(said=str(said)))
    monkeypatch.setenv("OF_THE_DRIVER", "1")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    machines.start(
        "head", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"
    )
    _wait_for(lambda: _listens(port))
    for name in ("anna", "bert"):
        address = f"tcp://127.0.0.1:{port}"
        machines.start(
            name, "distributed.cli.dask_worker", address, *("--nthreads", "1", "--no-nanny", "--no-dashboard")
        )
    run = {"workers": 2, "threads": 1, "engine": "dask", "address": address, "shared": f"file://{project}/shared"}

    process = DriverProcess(
        hill(train={"kind": "function", "function": "hill:run", "epochs": 3}, run=run), project, prefect_api
    )

    def trained_by(name: str) -> list[list[str]]:
        lines = said.read_text().splitlines() if said.exists() else []
        return [line.split() for line in lines if line.startswith(f"{name} ")]

    _wait_for(lambda: len(trained_by("anna")) > 0 and len(trained_by("bert")) > 0, process)
    machines.processes["anna"].kill()
    code, output = process.finish()

    assert code == 0, output
    history = history_of(project)
    assert len(history.completed) == 6
    assert history.failed == ()
    for trial in history.completed:
        assert trial.value("value") == pytest.approx((float(trial.configuration["x"]) - 0.3) ** 2)
    assert history.selection is not None
    with open_history(project / "store") as file:
        steps = file.sql("SELECT count(DISTINCT (trial, step)) FROM metrics WHERE replicate IS NULL").fetchall()
    assert steps == [(18,)]
    # In a copy of the project on each machine, and with the variables of that machine.
    folders = {name: {Path(folder) for _, folder, _ in trained_by(name)} for name in ("anna", "bert")}
    for name, found in folders.items():
        assert all(folder.is_relative_to(machines.root / name / "tmp") for folder in found), found
    assert {variable for name in folders for _, _, variable in trained_by(name)} == {"None"}
