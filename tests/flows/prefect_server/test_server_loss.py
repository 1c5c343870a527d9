"""A run ends as its history says, whatever became of Prefect's server; and what is said names the remedy."""

import os
import signal
import socket
import time
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from pegbox.flows.prefect_server import server_loss
from pegbox.flows.prefect_server.server_loss import server_loss_told
from pegbox.schemas.errors import PegboxError, StudyInterruptedError
from pegbox.schemas.events import RunStarted
from pegbox.schemas.study import StudySpec
from pegbox.storage.layout import StoreLayout
from pegbox.storage.store import open_store
from pegbox.storage.study_log import Status, open_study

NOWHERE = "http://127.0.0.1:9/api"
REFUSED = httpx.ConnectError("Connection refused")
SPEC = StudySpec.model_validate(
    {
        "name": "s",
        "train": {"kind": "function", "function": "my_project.train:run"},
        "space": {"lr": {"min": 0.0, "max": 1.0}},
        "objective": {"metric": "val_loss"},
        "budget": {"trials": 1},
    }
)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StoreLayout:
    monkeypatch.setenv("PREFECT_API_URL", NOWHERE)
    monkeypatch.setattr(server_loss, "PATIENCE_SECONDS", 0.0)
    return open_store(tmp_path / ".pegbox")


def end_run(store: StoreLayout, status: Status) -> None:
    run = RunStarted(study="s", run="r", host=socket.gethostname(), pid=os.getpid(), flow_run_id=str(UUID(int=7)))
    open_study(store, SPEC, run).close(status)


def lose(store: StoreLayout, error: Exception = REFUSED) -> list[str]:
    with (
        temporary_settings({PREFECT_API_URL: NOWHERE, PREFECT_CLIENT_MAX_RETRIES: 0}),
        server_loss_told(store, "s") as told,
    ):
        raise error
    return told.notices  # type: ignore[unreachable]


def test_a_study_that_is_done_ends_well_and_says_that_prefect_does_not_know(store: StoreLayout) -> None:
    end_run(store, "completed")
    (notice,) = lose(store)
    assert notice.startswith("The study is done, but Prefect's server could not be told (ConnectError")


def test_a_run_that_was_interrupted_stays_so(store: StoreLayout) -> None:
    end_run(store, "interrupted")
    with pytest.raises(StudyInterruptedError, match="The same command goes on"):
        lose(store)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (REFUSED, rf"server at {NOWHERE} does not answer .* Start the server again, or unset PREFECT_API_URL"),
        (RuntimeError(f"Failed to reach API at {NOWHERE}"), "does not answer"),
        (
            httpx.HTTPStatusError("no", request=httpx.Request("GET", NOWHERE), response=httpx.Response(401)),
            "does not let this user in .* PREFECT_API_AUTH_STRING",
        ),
    ],
)
def test_a_server_that_never_answered_is_named_with_the_remedy(store: StoreLayout, error: Exception, said: str) -> None:
    with pytest.raises(PegboxError, match=said):
        lose(store, error)


def test_an_error_of_the_study_is_left_alone(store: StoreLayout) -> None:
    with pytest.raises(RuntimeError, match="mine"):
        lose(store, RuntimeError("mine"))


@pytest.mark.long
def test_the_store_s_server_is_started_again_at_its_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import psutil

    from pegbox.flows.prefect_server.shared_server import is_healthy, prefect_server, wait_until_healthy

    monkeypatch.setenv("PREFECT_PROFILES_PATH", str(tmp_path / "none.toml"))
    for name in ("PREFECT_API_URL", "PREFECT_HOME", "PREFECT_API_AUTH_STRING"):
        monkeypatch.setenv(name, "")
    home = tmp_path / "prefect"
    with prefect_server(home, tmp_path / "log") as url:
        assert url is not None
        wait_until_healthy(url)
        (server,) = (one for one in psutil.process_iter(["cmdline"]) if str(home) in (one.info["cmdline"] or ()))
        os.kill(server.pid, signal.SIGKILL)
        while is_healthy(url):
            time.sleep(0.1)
        wait_until_healthy(url)
