"""A Prefect server that is slow, busy, or refuses artifacts costs a study nothing, and learns of its end."""

import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from driver_process import DriverProcess, history_of
from tests.faults.faulty_proxy import no_fault, proxy_of

from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import open_history

pytestmark = pytest.mark.flow

Hill = Callable[..., StudySpec]

BUSY, BROKEN = 503, 500


def _state_of_run(project: Path) -> str | None:
    from prefect.client.orchestration import get_client

    with open_history(project / "store") as file:
        ((run,),) = file.sql("SELECT flow_run_id FROM runs").fetchall()
    with get_client(sync_client=True) as client:
        state = client.read_flow_run(UUID(run)).state
    return state.name if state else None


def _refuses_artifacts(request: str) -> int | None:
    return BROKEN if "/artifacts" in request else None


@pytest.mark.usefixtures("prefect_client")
def test_a_slow_busy_and_failing_server_costs_a_study_nothing(project: Path, prefect_api: str, slow_hill: Hill) -> None:
    with proxy_of(prefect_api) as proxy:
        proxy.delay = 0.2
        process = DriverProcess(slow_hill(), project, proxy.url, retries=0)
        process.wait_for_calls(2)
        proxy.fault = lambda _: BUSY
        # By its last word at the latest, which it says again, the run has met a busy server.
        while process.is_running() and not proxy.refused[BUSY]:
            time.sleep(0.05)
        proxy.fault = _refuses_artifacts
        code, output = process.finish()

    assert code == 0, output
    assert proxy.refused[BUSY] > 0
    assert proxy.refused[BROKEN] > 0
    assert output.count("is not shown in Prefect") == 1, output
    assert "Traceback" not in output
    assert len(history_of(project).completed) == 8
    assert _state_of_run(project) == "Completed"


@pytest.mark.usefixtures("prefect_client")
def test_a_server_that_is_busy_when_a_run_ends_is_told_once_it_is_back(
    project: Path, prefect_api: str, slow_hill: Hill
) -> None:
    with proxy_of(prefect_api) as proxy:

        def busy_at_the_end(request: str) -> int | None:
            # The run's last word, and the first times that it asks again.
            is_of_run = "/flow_runs/" in request
            return BUSY if is_of_run and proxy.refused[BUSY] < 3 else None

        process = DriverProcess(slow_hill(), project, proxy.url, retries=0)
        process.wait_for_calls(8)
        proxy.fault = busy_at_the_end
        code, output = process.finish()
        proxy.fault = no_fault

    assert code == 0, output
    assert proxy.refused[BUSY] == 3
    assert "could not be told" not in output
    assert _state_of_run(project) == "Completed"
