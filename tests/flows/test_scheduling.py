"""Deployments of a scheduled study, against a real Prefect server, a real runner and a real worker."""

import signal
import subprocess
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from driver_process import DriverProcess
from started_program import start

from pegbox.schemas.errors import NotFoundError, PegboxError, StudyError
from pegbox.schemas.study import StudySpec
from pegbox.schemas.study_file import read_study
from pegbox.storage.history_file import open_history

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("prefect_client")]

Hill = Callable[..., StudySpec]
REPOSITORY = Path(__file__).parents[2]
STUDY = """
name: hill
train: {kind: function, function: "hill:run"}
space: {x: {min: 0.0, max: 1.0}}
objective: {metric: value}
search: {method: random}
budget: {trials: 2}
run: {workers: 1, threads: 1}
finalists: {top: 1, seeds: 1}
schedule: {interval: 1h, watch: rows.csv}
"""


def _steps(project: Path) -> list[str]:
    store = project / "store"
    if not (store / "history.duckdb").exists():
        return []
    with open_history(store) as file:
        rows = file.sql("SELECT body->>'step' FROM events WHERE type = 'schedule_step' ORDER BY written_at").fetchall()
    return [step for (step,) in rows]


def _wait_for_steps(project: Path, count: int, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 200
    while len(_steps(project)) < count:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, (project / "store" / "logs").read_text()
        time.sleep(0.5)


def test_served_study_runs_by_its_clock_until_ctrl_c(project: Path, prefect_api: str) -> None:
    (project / "rows.csv").write_text("v\n1\n")
    (project / "study.yaml").write_text(STUDY)
    from pegbox.flows.scheduling import remove_scheduled

    command = "from pegbox.cli.app import main; main()"

    served = start(
        project, prefect_api, "-c", command, "schedule", "study.yaml", "--interval", "20s", "--store", "store"
    )
    _wait_for_steps(project, 2, served)
    served.send_signal(signal.SIGINT)
    output, _ = served.communicate(timeout=60)
    remove_scheduled("hill")  # it stays, paused, and would be in the way of the tests that follow

    assert served.returncode == 0, output
    assert "serving: retune/hill" in output
    assert _steps(project)[:2] == ["promoted", "unchanged"]


def test_worker_of_a_pool_runs_the_study(project: Path, prefect_api: str, hill: Hill) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.deployments import run_deployment

    from pegbox.flows.scheduling import Placing, deploy_study

    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name="bench", type="process"))
    clock = {"cron": "0 3 * * 1", "timezone": "Europe/London", "watch": ["hill.py"]}
    spec = hill(schedule=clock, budget={"trials": 2}, tags={"team": "vision"})

    name = deploy_study(spec, project / "store", Placing("bench"))
    run_deployment(name, timeout=0)
    worker = start(
        project, prefect_api, "-m", "prefect", "worker", "start", "--pool", "bench", "--type", "process", "--run-once"
    )
    output, _ = worker.communicate(timeout=240)

    assert name == "retune/hill"
    assert _steps(project) == ["promoted"], output
    with get_client(sync_client=True) as client:
        deployment = client.read_deployment_by_name(name)
    assert deployment.parameters["spec"]["budget"] == {"trials": 2}
    assert deployment.parameter_openapi_schema["properties"]["spec"]
    assert [schedule.schedule.cron for schedule in deployment.schedules] == ["0 3 * * 1"]
    assert "team=vision" in deployment.tags
    _nobody_takes_it(project, spec)


def _nobody_takes_it(project: Path, spec: StudySpec) -> None:
    """The deployment of one store's study is not replaced by another's; whoever looks finds it, and may end it."""
    from pegbox.flows.scheduling import Placing, deploy_study, remove_scheduled, scheduled_studies

    deploy_study(spec, project / "store", Placing("bench"))  # again, for the same store: replaced as before

    with pytest.raises(PegboxError, match=r"holds the deployment 'retune/hill' already, for the store '.*/store'"):
        deploy_study(spec, project / "other", Placing("bench"))

    (listed,) = [one for one in scheduled_studies() if one.study == "hill"]
    assert (listed.clock, listed.store) == ("0 3 * * 1 Europe/London", str(project / "store"))
    assert remove_scheduled("hill") == "retune/hill"
    assert not [one for one in scheduled_studies() if one.study == "hill"]
    with pytest.raises(NotFoundError, match="no deployment 'retune/hill'"):
        remove_scheduled("hill")


def test_deployment_stands_as_it_is_asked_to(project: Path, hill: Hill) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate

    from pegbox.flows.scheduling import Placing, deploy_study, remove_scheduled

    spec = hill(name="placed", schedule={"interval": "1d", "watch": ["hill.py"]})
    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name="shelf", type="process"))
        name = deploy_study(spec, project / "store", Placing("shelf", "night", {"env": "A"}, paused=True, tags=("x",)))
        found = client.read_deployment_by_name(name)
        deploy_study(spec, project / "store", Placing("shelf", collision="enqueue"))
        again = client.read_deployment_by_name(name)
    remove_scheduled("placed")

    assert (found.work_pool_name, found.work_queue_name, found.paused) == ("shelf", "night", True)
    assert found.job_variables == {"working_dir": str(project), "env": "A"}
    assert {"pegbox", "x"} <= set(found.tags)
    strategies = [one.concurrency_options.collision_strategy for one in (found, again)]
    assert strategies == ["CANCEL_NEW", "ENQUEUE"]


def test_unknown_pool_is_named(project: Path, hill: Hill) -> None:
    from pegbox.flows.scheduling import Placing, deploy_study

    with pytest.raises(PegboxError, match="no work pool 'nowhere'"):
        deploy_study(hill(schedule={"interval": "1h"}), project / "store", Placing("nowhere"))


def test_study_that_says_no_time_is_refused(hill: Hill) -> None:
    from pegbox.flows.scheduling import schedule_of

    with pytest.raises(StudyError, match="says when it runs"):
        schedule_of(hill(schedule=None))


def test_watchdog_is_one_automation_however_often_it_is_set_up() -> None:
    from prefect.client.orchestration import get_client

    from pegbox.flows.prefect_server.watchdog import set_up_watchdog

    set_up_watchdog()
    name = set_up_watchdog()

    with get_client(sync_client=True) as client:
        (automation,) = client.read_automations_by_name(name)
    assert automation.enabled
    assert automation.trigger.within.total_seconds() >= 3 * 180
    assert [action.type for action in automation.actions] == ["change-flow-run-state"]


def test_watchdog_marks_a_killed_run_as_crashed(project: Path, prefect_api: str, slow_hill: Hill) -> None:
    from prefect.client.orchestration import get_client

    from pegbox.flows.prefect_server.watchdog import set_up_watchdog

    name = set_up_watchdog(timedelta(seconds=12))
    process = DriverProcess(slow_hill(name="watched", budget={"trials": 200}), project, prefect_api)
    process.wait_for_calls(1)
    process.kill()

    with get_client(sync_client=True) as client:
        states = _states_until(client, "tune-watched", "Crashed", seconds=90)
        for automation in client.read_automations_by_name(name):  # it would call slow runs of other tests dead
            client.delete_automation(automation.id)

    assert states[0] == "Running"
    assert states[-1] == "Crashed"


def _states_until(client: Any, run: str, wanted: str, seconds: float) -> list[str | None]:
    """The states of a flow run, looked at each second until it has the one that is wanted."""
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterName

    states: list[str | None] = []
    deadline = time.monotonic() + seconds
    while wanted not in states and time.monotonic() < deadline:
        (found,) = client.read_flow_runs(flow_run_filter=FlowRunFilter(name=FlowRunFilterName(any_=[run])))
        states.append(found.state_name)
        time.sleep(1)
    return states


def test_deployment_by_file_asks_for_the_example(prefect_api: str) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate

    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name="pegbox", type="process"))

    done = start(REPOSITORY, prefect_api, "-m", "prefect", "--no-prompt", "deploy", "--all")
    output, _ = done.communicate(timeout=120)

    assert done.returncode == 0, output
    with get_client(sync_client=True) as client:
        deployment = client.read_deployment_by_name("retune/energy")
    asked = StudySpec.model_validate(deployment.parameters["spec"])
    assert asked == read_study(REPOSITORY / "examples" / "energy.yaml").spec
    assert deployment.entrypoint == "pegbox.flows.retune.retune"
