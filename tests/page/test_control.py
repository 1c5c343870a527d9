"""Control from the page: only where it was allowed, only with the token, with the words of the command line."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from page_visit import Visit
from simulated_study import Simulation, write_simulation

from pegbox.page.control import Control, Wish
from pegbox.page.live_access import AccessRule
from pegbox.schemas.decision import Start
from pegbox.schemas.errors import PageError
from pegbox.schemas.events import DecisionMade, RunStarted, TrialEvaluated, TrialFailed
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, TrialState
from pegbox.storage.history_file import open_history
from pegbox.storage.layout import StoreLayout
from pegbox.storage.store import open_store
from pegbox.storage.study_lock import study_holder
from pegbox.storage.study_log import open_study

ALLOWED = AccessRule(token="secret", allows_control=True)
BEARER = {"Authorization": "Bearer secret"}
STOP = {"study": "digits", "action": "stop"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("control") / "store"
    write_simulation(root, Simulation("digits", n_trials=4))
    return root


def test_nothing_is_controlled_where_it_was_not_allowed(store: Path, serve_live: Callable[..., str]) -> None:
    for gate in (AccessRule(), AccessRule(allows_control=True)):  # without a token it is never allowed
        with httpx.Client(base_url=serve_live(store, gate), timeout=60) as client:
            assert client.get("/api/control").json() == {"is_allowed": False}
            refused = client.post("/api/control", json=STOP)
            assert (refused.status_code, "--allow-control" in refused.json()["error"]) == (400, True)


def test_control_wants_the_token_and_tells_what_the_command_said(store: Path, serve_live: Callable[..., str]) -> None:
    with httpx.Client(base_url=serve_live(store, ALLOWED), timeout=60) as client:
        assert client.post("/api/control", json=STOP).status_code == 401
        said = client.post("/api/control", json=STOP, headers=BEARER)

    assert said.status_code == 400
    assert "Nobody drives the study" in said.json()["error"]


def test_to_extend_takes_a_budget(store: Path) -> None:
    with pytest.raises(PageError, match="takes a budget of trials"):
        Control(store).fulfil(Wish(study="digits", action="extend"))


def test_a_name_that_begins_like_an_option_is_a_name(store: Path) -> None:
    assert Control(store)._arguments(Wish(study="--help", action="retry", trial=3))[-2:] == ["--", "--help"]


# Holds a study as its driver does, and says when it was asked to stop.
DRIVER = """
import signal, sys
from pathlib import Path
from pegbox.storage.layout import StoreLayout
from pegbox.storage.study_lock import StudyLock
lock = StudyLock(StoreLayout(Path(sys.argv[1])), "digits")
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
lock.acquire()
print("driving", flush=True)
print(signal.sigtimedwait([signal.SIGTERM], 120) is not None, flush=True)
"""


def test_stop_asks_the_driver_of_the_study(
    store: Path, visit: Callable[..., Visit], serve_live: Callable[..., str]
) -> None:
    with subprocess.Popen([sys.executable, "-c", DRIVER, str(store)], stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == "driving\n"
        live = visit(f"{serve_live(store, ALLOWED)}/?token=secret&study=digits")
        live.page.on("dialog", lambda dialog: dialog.accept())
        live.page.click("#control button:has-text('Stop')")
        live.page.wait_for_selector(f"#control [role=status]:has-text('asked process {driver.pid} to stop')")
        assert driver.communicate(timeout=60)[0] == "True\n"
    assert driver.returncode not in {None, -signal.SIGTERM}
    assert live.complaints == []


def test_the_page_of_a_host_without_control_offers_none(
    store: Path, visit: Callable[..., Visit], serve_live: Callable[..., str]
) -> None:
    live = visit(f"{serve_live(store)}/?study=digits")
    live.page.wait_for_selector("#trials tbody tr")

    assert not live.page.is_visible("#control")


@pytest.fixture
def half_failed(tmp_path: Path) -> Path:
    """A study whose second trial failed; its program waits for a file, and then succeeds."""
    root = tmp_path / "store"
    waits = "import pathlib, time\nwhile not pathlib.Path({!r}).exists(): time.sleep(0.05)\nprint('loss=0.5')"
    spec = StudySpec.model_validate(
        {
            "name": "half",
            "train": {"kind": "command", "command": [sys.executable, "-c", waits.format(str(tmp_path / "go"))]},
            "space": {"x": {"min": 0.0, "max": 1.0}},
            "objective": {"metric": "loss"},
            "budget": {"trials": 2},
            "run": {"workers": 1},
            "finalists": {"top": 1, "seeds": 1},
        }
    )
    with open_study(open_store(root), spec, RunStarted(study="half", run="r", host="h", pid=1)) as log:
        for trial, x in enumerate((0.2, 0.7)):
            start = Start(configuration={"x": x}, to_budget=1)
            log.record(
                DecisionMade(
                    study="half", number=trial, saw=1, elapsed_seconds=1.0, decision=start, trial=trial, seed=trial
                )
            )
        evaluation = Evaluation(budget=1, metrics={"loss": 0.6})
        failure = Failure(kind=FailureKind.ERROR, message="no go", traceback="")
        log.record(
            TrialEvaluated(study="half", trial=0, evaluation=evaluation, state=TrialState.COMPLETED),
            TrialFailed(study="half", trial=1, attempt=1, failure=failure, final=True),
        )
        log.close("completed")
    return root


@pytest.mark.long
def test_retry_stop_and_extend_do_what_the_command_line_does(
    half_failed: Path, serve_live: Callable[..., str], tmp_path: Path
) -> None:
    with httpx.Client(base_url=serve_live(half_failed, ALLOWED), timeout=60, headers=BEARER) as client:

        def wish(action: str, **more: Any) -> str:
            answer = client.post("/api/control", json={"study": "half", "action": action, **more})
            assert answer.status_code == 200, answer.text
            return str(answer.json()["said"])

        wish("retry")
        wait_for(lambda: states(half_failed)[1] == "running")
        assert "asked process" in wish("stop")
        (tmp_path / "go").touch()
        wait_until_let_go(half_failed)
        assert states(half_failed) == ["completed", "completed"]

        wish("extend", trials=3)
        wait_for(lambda: len(states(half_failed)) == 3)
        wait_until_let_go(half_failed)

    assert states(half_failed) == ["completed"] * 3
    with open_history(half_failed) as file:
        assert file.history("half").spec.budget.trials == 3


def states(root: Path) -> list[str]:
    with open_history(root) as file:
        return [trial.state.value for trial in file.history("half").trials]


def wait_until_let_go(root: Path) -> None:
    wait_for(lambda: study_holder(StoreLayout(root), "half") is None)


def wait_for(holds: Callable[[], bool], seconds: float = 240) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it never came to be so"
        time.sleep(0.2)
