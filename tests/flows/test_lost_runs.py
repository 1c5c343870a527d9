"""Runs that were killed are called lost by the next one, in the history and in Prefect."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from driver_process import DriverProcess

from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import open_history

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("prefect_client")]


def test_killed_flow_run_is_crashed_once_the_next_one_starts(
    project: Path, prefect_api: str, slow_hill: Callable[..., StudySpec]
) -> None:
    from prefect.client.orchestration import get_client

    process = DriverProcess(slow_hill(), project, prefect_api)
    process.wait_for_calls(2)
    process.kill()
    query = "SELECT status, flow_run_id FROM runs ORDER BY started_at"
    ((_, killed),) = open_history(project / "store").sql(query).fetchall()
    with get_client(sync_client=True) as client:
        before = client.read_flow_run(UUID(killed)).state

    code, output = DriverProcess(slow_hill(), project, prefect_api).finish()

    assert code == 0, output
    assert [status for status, _ in open_history(project / "store").sql(query).fetchall()] == ["lost", "completed"]
    with get_client(sync_client=True) as client:
        after = client.read_flow_run(UUID(killed)).state
    assert before is not None
    assert after is not None
    assert (before.name, after.name) == ("Running", "Crashed")
    assert after.message is not None
    assert str(process.pid) in after.message


def test_run_that_another_server_knew_is_lost_all_the_same(
    project: Path, hill: Callable[..., StudySpec], prefect_api: str
) -> None:
    from pegbox.flows.tune import tune
    from pegbox.schemas.events import RunStarted
    from pegbox.storage.amending import amend_study
    from pegbox.storage.store import open_store

    tune(hill(), project / "store")
    foreign = RunStarted(study="hill", run="foreign", host="h", pid=1, flow_run_id=str(UUID(int=7)))
    amend_study(open_store(project / "store"), "hill", lambda history: [foreign])

    tune(hill(), project / "store")

    rows = open_history(project / "store").sql("SELECT status FROM runs WHERE run = 'foreign'").fetchall()
    assert rows == [("lost",)]
