"""Runs that lose what they stand on: their driver, their server, their store, their terminal, their time."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from driver_process import DriverProcess, calls, history_of

from pegbox.flows.prefect_server.shared_server import wait_until_healthy
from pegbox.report.replay_audit import replay_study
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState
from pegbox.storage.history_file import open_history
from pegbox.storage.layout import StoreLayout
from pegbox.storage.sandbox import Sandbox

pytestmark = pytest.mark.flow

Hill = Callable[..., StudySpec]

CLIMB = '''
"""A hill that is climbed in rungs; every segment leaves a line that names it, and a mess.

Each value holds what the segments before have left in the process, which is nothing.
"""

import builtins
import decimal
import os
import random
import threading
import time
import warnings
from pathlib import Path

KEPT = []
random.seed(1)


def left():
    """Differs wherever a segment finds its process otherwise than the first one did."""
    umask = os.umask(0o077)
    os.umask(umask)
    state = random.random(), umask, round(0.7), decimal.getcontext().prec, threading.active_count(), len(KEPT)
    return sum(state) + len(os.environ.get("MESS", "")) + len(warnings.filters)


def make_a_mess():
    KEPT.extend(open(os.devnull) for _ in range(100))
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    builtins.round = lambda *_: 7
    decimal.getcontext().prec = random.randint(5, 20)
    os.environ["MESS"] = os.environ.get("MESS", "") + "x"
    warnings.simplefilter("error")
    os.umask(0o007)


def run(x, trial):
    with Path("calls.txt").open("a") as calls:
        calls.write(f"{x!r} {trial.seed} {trial.from_budget} {trial.budget}\\n")
    height = (x - 0.3) ** 2 + left()
    make_a_mess()
    for step in range(trial.from_budget + 1, trial.budget + 1):
        time.sleep(0.03)
        trial.report(step, value=height + 1 / step)
    return {"value": height + 1 / trial.budget}
'''
TORCH = """
import torch

of_python, mess_of_python = left, make_a_mess


def left():
    return of_python() + torch.get_default_dtype().itemsize + torch.rand(1).item() + torch.get_num_threads()


def make_a_mess():
    mess_of_python()
    torch.set_default_dtype(torch.float64)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(random.randint(0, 10**6))
"""


@pytest.fixture
def climb(project: Path, hill: Hill) -> Hill:
    """A study with three rungs: 1, 3 and 9."""
    (project / "hill.py").write_text(CLIMB)

    def make(**changes: object) -> StudySpec:
        sections = {
            "train": {"kind": "function", "function": "hill:run", "epochs": 9},
            "fidelity": {"schedule": "asha", "min": 1},
            "budget": {"trials": 12},
            "run": {"workers": 1, "threads": 1},
        }
        return hill(**(sections | changes))

    return make


def _kill_at_random(spec: StudySpec, project: Path, api: str, times: int, longest: float) -> None:
    """Start the same run again and again, and kill it each time once it has begun to train, at a random moment."""
    moments = random.Random(7)
    for _ in range(times):
        process = DriverProcess(spec, project, api)
        n_before = len(calls(project))
        deadline = time.monotonic() + 60
        while process.is_running() and len(calls(project)) == n_before and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(moments.uniform(0.0, longest))
        process.kill()


def _lives(history: History) -> list[object]:
    """Everything of the trials that must not depend on interruptions."""
    return [
        (trial.configuration, trial.seed, trial.state, [(one.budget, one.metrics) for one in trial.evaluations])
        for trial in history.trials
    ]


def _assert_nothing_doubled(project: Path) -> None:
    with open_history(project / "store") as file:
        doubled = file.sql(
            "SELECT study, trial, budget, replicate FROM evaluations WHERE fold IS NULL "
            "GROUP BY ALL HAVING count(*) > 1"
        ).fetchall()
        damaged = file.sql("FROM quarantine").fetchall()
    assert doubled == []
    assert damaged == []


def _check_against_undisturbed(spec: StudySpec, project: Path, api: str) -> None:
    code, output = DriverProcess(spec, project, api).finish()
    assert code == 0, output
    trained = Counter(calls(project))
    (project / "calls.txt").unlink()
    code, output = DriverProcess(spec, project, api, store="undisturbed").finish()
    assert code == 0, output
    planned = Counter(calls(project))

    disturbed, undisturbed = history_of(project), history_of(project, "undisturbed")
    assert _lives(disturbed) == _lives(undisturbed)
    assert disturbed.selection is not None
    assert undisturbed.selection is not None
    assert disturbed.selection.configuration == undisturbed.selection.configuration
    assert set(trained) == set(planned)
    assert max((trained - planned).values(), default=0) <= 1
    _assert_nothing_doubled(project)
    assert replay_study(project / "store", "hill").is_exact


@pytest.mark.long
def test_driver_killed_at_random_moments_gives_the_undisturbed_answer(
    project: Path, prefect_api: str, climb: Hill
) -> None:
    spec = climb()

    _kill_at_random(spec, project, prefect_api, times=3, longest=1.0)

    _check_against_undisturbed(spec, project, prefect_api)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_mess_in_torch_changes_no_answer_of_a_killed_study(project: Path, prefect_api: str, climb: Hill) -> None:
    spec = climb()
    (project / "hill.py").write_text(CLIMB + TORCH)

    _kill_at_random(spec, project, prefect_api, times=5, longest=1.0)

    _check_against_undisturbed(spec, project, prefect_api)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_thirty_kills_with_one_worker_give_the_undisturbed_answer(project: Path, prefect_api: str, climb: Hill) -> None:
    spec = climb(budget={"trials": 120})

    _kill_at_random(spec, project, prefect_api, times=30, longest=2.0)

    _check_against_undisturbed(spec, project, prefect_api)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_thirty_kills_with_four_workers_lose_and_double_nothing(project: Path, prefect_api: str, climb: Hill) -> None:
    spec = climb(budget={"trials": 200}, run={"workers": 4, "threads": 1})

    _kill_at_random(spec, project, prefect_api, times=30, longest=2.0)
    code, output = DriverProcess(spec, project, prefect_api).finish()

    assert code == 0, output
    history = history_of(project)
    assert len(history.trials) == 200
    assert history.failed == ()
    trained = Counter(calls(project))
    n_segments = sum(len(trial.evaluations) + len(trial.replicates) for trial in history.trials)
    assert len(trained) == n_segments
    assert max(trained.values()) <= 2
    _assert_nothing_doubled(project)
    assert replay_study(project / "store", "hill").is_exact


def test_what_the_worker_of_a_killed_driver_finishes_is_not_trained_again(
    project: Path, prefect_api: str, slow_hill: Hill
) -> None:
    spec = slow_hill(
        space={"x": {"min": 0.0, "max": 1.0}, "pause": 1.0},
        budget={"trials": 3},
        finalists={"top": 1, "seeds": 1},
    )
    for count in (1, 2):
        process = DriverProcess(spec, project, prefect_api)
        process.wait_for_calls(count)
        process.kill()

    code, output = DriverProcess(spec, project, prefect_api).finish()

    assert code == 0, output
    of_finalist = 1
    assert len(calls(project)) == 3 + of_finalist
    with open_history(project / "store") as file:
        assert file.sql("SELECT max(attempt) FROM trials").fetchall() == [(2,)]
    assert list((project / "store" / "cache").glob("*handover*")) == []


class _Server:
    """A Prefect server that can be killed."""

    def __init__(self, home: Path, port: int) -> None:
        application = ["--factory", "prefect.server.api.server:create_app", "--log-level", "error"]
        self.url = f"http://127.0.0.1:{port}/api"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", *application, "--port", str(port)],
            env={
                **os.environ,
                "PREFECT_HOME": str(home),
                "PREFECT_API_URL": "",
                "PREFECT_SERVER_ANALYTICS_ENABLED": "0",
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until_healthy(self.url)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[[], _Server]]:
    """Starts a Prefect server at one address, as often as it is asked to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    servers: list[_Server] = []

    def start() -> _Server:
        servers.append(_Server(tmp_path / "prefect-home", port))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


def _states_of_runs(project: Path, api: str) -> list[str]:
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL, temporary_settings

    runs = open_history(project / "store").sql("SELECT flow_run_id FROM runs ORDER BY started_at").fetchall()
    with temporary_settings({PREFECT_API_URL: api}), get_client(sync_client=True) as client:
        states = [client.read_flow_run(UUID(run)).state for (run,) in runs]
    return [state.name for state in states if state is not None and state.name is not None]


@pytest.mark.long
def test_a_study_outlives_its_prefect_server_and_the_next_run_tells_of_it(
    project: Path, slow_hill: Hill, start_server: Callable[[], _Server]
) -> None:
    server = start_server()
    process = DriverProcess(slow_hill(), project, server.url, retries=1)
    process.wait_for_calls(3)
    server.kill()
    code, output = process.finish()
    before = history_of(project)
    assert code == 0, output
    assert "The study is done, but Prefect's server could not be told" in output

    again = start_server()
    code, output = DriverProcess(slow_hill(), project, again.url).finish()

    assert code == 0, output
    assert _states_of_runs(project, again.url) == ["Completed", "Completed"]
    after = history_of(project)
    assert len(after.completed) == 8
    assert [trial.configuration for trial in after.trials[: len(before.trials)]] == [
        trial.configuration for trial in before.trials
    ]
    _assert_nothing_doubled(project)


def test_store_deleted_under_the_run_ends_it_with_a_clear_error(
    project: Path, prefect_api: str, slow_hill: Hill
) -> None:
    process = DriverProcess(slow_hill(budget={"trials": 200}), project, prefect_api)
    process.wait_for_calls(2)
    n_before = len(calls(project))

    shutil.rmtree(project / "store")
    code, output = process.finish()

    assert code in {1, 2}, output
    assert "the system said: No such file or directory" in output
    assert len(calls(project)) < n_before + 100


def test_store_that_cannot_be_written_is_refused_before_anything_runs(
    project: Path, prefect_api: str, slow_hill: Hill
) -> None:
    (project / "store").write_text("a file where the directory should be")

    code, output = DriverProcess(slow_hill(), project, prefect_api).finish()

    assert code == 2, output
    assert "must be a directory that can be written" in output
    assert calls(project) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_asked_to_end_a_run_finishes_its_trials_and_can_be_resumed(
    project: Path, prefect_api: str, slow_hill: Hill, number: signal.Signals
) -> None:
    process = DriverProcess(slow_hill(), project, prefect_api)
    process.wait_for_calls(2)
    process.signal(number)

    code, output = process.finish()

    assert code == 130, output
    # One may have been proposed in the moment of the signal, and is trained when the study goes on.
    begun = [trial for trial in history_of(project).trials if trial.state is not TrialState.PROPOSED]
    assert len(begun) >= 2
    assert all(trial.state.is_finished for trial in begun)


def test_second_interrupt_stops_at_once(project: Path, prefect_api: str, slow_hill: Hill) -> None:
    # A day: were the trial waited for, the test would hang.
    process = DriverProcess(slow_hill(space={"x": {"min": 0.0, "max": 1.0}, "pause": 86400.0}), project, prefect_api)
    process.wait_for_calls(1)
    process.signal(signal.SIGINT)
    time.sleep(2)  # on a busy machine two signals that come together are one
    process.signal(signal.SIGINT)

    code, output = process.finish()

    assert code != 0, output
    assert open_history(project / "store").sql("SELECT status FROM runs").fetchall() == [("interrupted",)]


def test_run_that_was_suspended_goes_on_and_counts_no_sleep(project: Path, prefect_api: str, slow_hill: Hill) -> None:
    process = DriverProcess(slow_hill(run={"workers": 1, "threads": 1, "timeout": 30}), project, prefect_api)
    process.wait_for_calls(2)
    process.signal(signal.SIGSTOP)
    time.sleep(6)
    process.signal(signal.SIGCONT)

    code, output = process.finish()

    assert code == 0, output
    assert len(history_of(project).completed) == 8
    with open_history(project / "store") as file:
        ((slept,),) = file.sql(
            "SELECT max(wall - counted) FROM (SELECT epoch(decided_at - lag(decided_at) OVER w) AS wall, "
            "elapsed_seconds - lag(elapsed_seconds) OVER w AS counted FROM decisions WINDOW w AS (ORDER BY number))"
        ).fetchall()
    assert slept > 5


@pytest.mark.long
def test_of_two_drivers_in_the_same_second_one_runs(project: Path, prefect_api: str, slow_hill: Hill) -> None:
    both = [DriverProcess(slow_hill(), project, prefect_api) for _ in range(2)]

    ends = sorted((process.finish() for process in both), key=lambda end: end[0])

    assert [code for code, _ in ends] == [0, 5], ends
    assert "is being driven by process" in ends[1][1]
    assert len(history_of(project).completed) == 8


@pytest.mark.long
def test_two_studies_and_queries_in_a_loop_share_a_store(project: Path, prefect_api: str, slow_hill: Hill) -> None:
    both = [DriverProcess(slow_hill(name=name), project, prefect_api) for name in ("left", "right")]
    both[0].wait_for_calls(1)

    counted = []
    while any(process.is_running() for process in both):
        with Sandbox(StoreLayout(project / "store")) as sandbox:
            counted += sandbox.query("SELECT count(*) FROM trials")
    ends = [process.finish() for process in both]

    assert [code for code, _ in ends] == [0, 0], ends
    assert "not up to date" not in "".join(output for _, output in ends)
    assert counted == sorted(counted)
    assert len(history_of(project, study="left").completed) == 8
    assert len(history_of(project, study="right").completed) == 8
    _assert_nothing_doubled(project)
