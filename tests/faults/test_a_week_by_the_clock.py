"""A week of three scheduled studies on one server, a minute for a day: data stays, moves, drifts and goes, things die.

Everything is real and of this test alone: server, work pool, worker, clock, and the automation of the how-to.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from document_blocks import blocks_of

from pegbox.storage.history_file import open_history
from pegbox.storage.layout import StoreLayout
from pegbox.storage.schedule_log import schedule_steps

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "deploy-when-promoted.md"
# At a load of 25 a run of ten seconds takes two minutes, and a slot of a dead one is free after five.
PATIENCE_SECONDS = 1800.0
PEGBOX = ("-c", "from pegbox.cli.app import main; main()")
TRAIN = '''
"""A hill whose top the data says."""

import time


def run(x, trial):
    time.sleep(0.5)
    return {"value": abs(x - float(trial.data.train.target.mean())) + 1e-6 * (trial.seed % 97)}
'''
STUDY = """
name: NAME
data: {source: rows.csv, target: y, split: {test: 0.0, valid: 0.2}}
train: {kind: function, function: "hill:run"}
space: {x: {min: 0.0, max: 1.0}}
objective: {metric: value}
search: {method: random}
budget: {trials: 4}
run: {workers: 1, threads: 1}
finalists: {top: 2, seeds: 3}
tags: {team: NAME}
"""


class Week:
    """The server, its worker and three folders; everything that was started is ended."""

    def __init__(self, root: Path) -> None:
        self.root = root
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.api = f"http://127.0.0.1:{self.port}/api"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.start_server()

    def start(self, folder: Path, *command: str) -> "subprocess.Popen[bytes]":
        environment = {
            **os.environ,
            "PREFECT_API_URL": self.api,
            "PREFECT_API_AUTH_STRING": "",
            "PREFECT_HOME": str(self.root / "prefect"),
            "PREFECT_PROFILES_PATH": str(self.root / "none.toml"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        }
        folder.mkdir(exist_ok=True)
        with (folder / "output.log").open("ab") as log:
            process = subprocess.Popen([sys.executable, *command], cwd=folder, env=environment, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def start_server(self) -> None:
        command = ("-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(self.port), "--no-ui")
        self.server = self.start(self.root / "server", *command)
        self.wait(self._is_up, "the server")

    def _is_up(self) -> bool:
        try:
            return httpx.get(f"{self.api}/health", timeout=5).is_success
        except httpx.HTTPError:
            return False

    def start_worker(self) -> None:
        command = ("-m", "prefect", "worker", "start", "--pool", "week", "--type", "process", "--limit", "1")
        self.worker = self.start(self.root / "worker", *command)

    def pegbox(self, folder: str, *command: str) -> tuple[int, str]:
        process = self.start(self.root / folder, *PEGBOX, *command)
        code = process.wait(PATIENCE_SECONDS)
        return code, (self.root / folder / "output.log").read_text()

    def ask(self, path: str, **wanted: Any) -> Any:
        answer = httpx.post(f"{self.api}/{path}", json=wanted, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def wait(self, until: Callable[[], Any], what: str) -> Any:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := until()):
            assert time.monotonic() < deadline, f"waited for {what} in vain: {self.told()}"
            time.sleep(1)
        return found

    def told(self) -> str:
        logs = [(self.root / one / "output.log") for one in ("server", "worker", "ops")]
        return "\n".join(log.read_text()[-3000:] for log in logs if log.exists()) + repr(self.runs("hill"))

    def steps(self, folder: str, study: str) -> list[Any]:
        store = self.root / folder / "store"
        return list(schedule_steps(StoreLayout(store), study)) if (store / "history.duckdb").exists() else []

    def wait_for(self, folder: str, study: str, step: str, after: int = 0) -> int:
        """How many steps there are once one of this name came after so many."""
        self.wait(lambda: step in [one.step for one in self.steps(folder, study)[after:]], f"{study} to be {step}")
        return len(self.steps(folder, study))

    def runs(self, study: str) -> list[dict[str, Any]]:
        """The flow runs of a study's deployment that have begun, oldest first."""
        wanted = {"deployments": {"name": {"any_": [study]}}, "sort": "START_TIME_ASC", "limit": 200}
        found = self.ask("flow_runs/filter", **wanted)
        return [
            {"id": one["id"], "state": one["state"]["name"], "why": one["state"]["message"]}
            for one in found
            if one["start_time"]
        ]

    def events(self, study: str, kind: str) -> list[dict[str, Any]]:
        wanted = {"event": {"prefix": [kind]}, "resource": {"id": [f"pegbox.study.{study}"]}}
        found: list[dict[str, Any]] = self.ask("events/filter", filter=wanted, limit=50)["events"]
        return found

    def production(self) -> Any:
        path = self.root / "ops" / "production.json"
        return json.loads(path.read_text()) if path.exists() else None

    def n_evaluated(self) -> int:
        with open_history(self.root / "a" / "store") as file:
            ((found,),) = file.sql("SELECT count(*) FROM events WHERE type = 'trial_evaluated'").fetchall()
        return int(found)

    def end(self) -> None:
        for process in reversed(self.processes):
            kill(process)


def kill(process: "subprocess.Popen[bytes]") -> None:
    """As if the power had gone, for a process and all that it has started."""
    try:
        children = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        children = []
    process.send_signal(signal.SIGKILL)
    for child in children:
        if child.is_running():
            child.kill()
    process.wait(60)


@pytest.fixture
def week(tmp_path: Path) -> Iterator[Week]:
    week = Week(tmp_path)
    try:
        yield week
    finally:
        week.end()


def _write(week: Week, folder: str, top: float, shade: float = 0.0) -> None:
    rows = "".join(f"{number + shade},{top + 0.01 * (number % 3 - 1)}\n" for number in range(40))
    partial = week.root / folder / "rows.tmp"
    partial.write_text("a,y\n" + rows)
    partial.replace(week.root / folder / "rows.csv")


def _prepare(week: Week) -> dict[str, Any]:
    """Three folders, the pool, the automation, and a deployment of somebody else's, which is given back."""
    for folder, name in (("a", "hill"), ("b", "steady"), ("c", "drifting")):
        (week.root / folder).mkdir()
        (week.root / folder / "hill.py").write_text(TRAIN)
        (week.root / folder / "study.yaml").write_text(STUDY.replace("NAME", name))
        _write(week, folder, top=0.3)
    (page,) = [block for block in blocks_of(HOW_TO.read_text(encoding="utf-8")) if block.title == "deploy.py"]
    (week.root / "ops").mkdir()
    (week.root / "ops" / "deploy.py").write_text(page.text.replace("digits", "hill"))
    week.start(week.root / "ops", "deploy.py")
    week.ask("work_pools/", name="week", type="process")
    flow = week.ask("flows/", name="reports")
    theirs: dict[str, Any] = week.ask("deployments/", name="hill", flow_id=flow["id"], parameters={"store": "theirs"})
    week.wait(lambda: week.ask("automations/filter"), "the automation")
    return theirs


@pytest.mark.long
@pytest.mark.flow
@pytest.mark.timeout(10800)
def test_a_week_of_three_studies_by_the_clock(week: Week) -> None:
    theirs = _prepare(week)
    for folder, every in (("a", "* * * * *"), ("b", "*/3 * * * *"), ("c", "*/3 * * * *")):
        code, output = week.pegbox(
            folder, "schedule", "study.yaml", "--cron", every, "--pool", "week", "--store", "store"
        )
        assert code == 0, output
    (week.root / "c" / "same.yaml").write_text(STUDY.replace("NAME", "hill"))
    taken = ("schedule", "same.yaml", "--cron", "* * * * *", "--pool", "week", "--store", "store")
    code, output = week.pegbox("c", *taken)
    assert code != 0
    assert "Prefect holds the deployment 'retune/hill' already" in output
    week.pegbox("ops", "schedule", "--watchdog", "--list", "--store", "store")
    week.start_worker()

    # Day 1: first answers. Day 2: nothing is new.
    n_a = week.wait_for("a", "hill", "promoted")
    first = week.steps("a", "hill")[0].incumbent
    week.wait(lambda: week.production() == dict(first.configuration), "the first answer in production")
    for folder, study in (("b", "steady"), ("c", "drifting")):
        week.wait_for(folder, study, "promoted")
    n_a = week.wait_for("a", "hill", "unchanged", n_a)

    # Day 3: other rows that say the same; in c the inputs drift.
    _write(week, "a", top=0.3, shade=0.25)
    _write(week, "c", top=0.3, shade=30.0)
    n_a = week.wait_for("a", "hill", "held", n_a)
    assert week.production() == dict(first.configuration)
    week.wait_for("c", "drifting", "held")
    drifted = week.steps("c", "drifting")[-1]
    assert "moved" in drifted.reason

    # Day 4: the data says something else, and the server dies while the study is tuned.
    before = week.n_evaluated()
    _write(week, "a", top=0.9)
    week.wait(lambda: week.n_evaluated() > before + 1, "a training on the new data")
    kill(week.server)
    time.sleep(5)
    week.start_server()
    n_a = week.wait_for("a", "hill", "promoted", n_a)
    second = week.steps("a", "hill")[n_a - 1].incumbent
    week.wait(lambda: week.production() == dict(second.configuration), "the second answer in production")

    # Day 5: again, and the worker dies with all that it runs.
    before = week.n_evaluated()
    _write(week, "a", top=0.05)
    week.wait(lambda: week.n_evaluated() > before + 5, "a training on the new data")
    kill(week.worker)
    week.start_worker()
    n_a = week.wait_for("a", "hill", "promoted", n_a)
    third = week.steps("a", "hill")[n_a - 1].incumbent
    week.wait(lambda: week.production() == dict(third.configuration), "the third answer in production")

    # Day 6: the data is gone. Day 7: it is back as it was.
    (week.root / "a" / "rows.csv").rename(week.root / "a" / "gone.csv")
    week.wait(lambda: week.events("hill", "pegbox.schedule.failed"), "the run without data to fail")
    (week.root / "a" / "gone.csv").rename(week.root / "a" / "rows.csv")
    week.wait_for("a", "hill", "unchanged", len(week.steps("a", "hill")))
    _check_week(week, theirs)


def _check_week(week: Week, theirs: dict[str, Any]) -> None:
    """Every state and event is there, once, and says what the history says; nobody else's deployment was touched."""
    listed = week.pegbox("ops", "schedule", "--list", "--store", "store")[1]
    assert {one.step for one in week.steps("b", "steady")} == {"promoted", "unchanged"}
    for folder, study in (("a", "hill"), ("b", "steady"), ("c", "drifting")):
        week.wait(lambda f=folder, s=study: _is_told(week, f, s), f"Prefect to tell of {study} what its history does")
        store = str(week.root / folder / "store")
        assert {one["payload"]["store"] for one in week.events(study, "pegbox.schedule")} == {store}
        assert f"retune/{study} " in listed
        assert store in listed
    after = httpx.get(f"{week.api}/deployments/{theirs['id']}", timeout=60).json()
    assert after["updated"] == theirs["updated"]
    hill = Counter(one["state"] for one in week.runs("hill"))
    assert hill["Crashed"] == 1, hill
    assert set(hill) <= {"Promoted", "Held", "Unchanged", "Failed", "Crashed", "Cancelled", "Running"}


def _is_told(week: Week, folder: str, study: str) -> bool:
    """True where each step is one event, and each but `lapsed` the state of one run; not while a run is ending."""
    steps = Counter(one.step for one in week.steps(folder, study))
    told = Counter(one["event"].rpartition(".")[2] for one in week.events(study, "pegbox.schedule"))
    states = Counter(one["state"].lower() for one in week.runs(study))
    del told["failed"]
    ends = {name: count for name, count in steps.items() if name != "lapsed"}
    return told == steps and ends == {name: states[name] for name in ends}
