"""A study that is cancelled in Prefect, or by `pegbox stop`: one name for its end, and the same command goes on."""

import contextlib
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from driver_process import PATIENCE_SECONDS, DriverProcess, calls, history_of
from prefect.exceptions import TerminationSignal
from started_program import start

from pegbox.flows.cancellation import is_interrupt
from pegbox.flows.completions import Completions
from pegbox.flows.interruption import Interruption
from pegbox.flows.scheduling import Placing, deploy_study, scheduled_studies
from pegbox.flows.stopping import stop_study
from pegbox.schemas.errors import NotFoundError
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState
from pegbox.storage.history_file import open_history

Hill = Callable[..., StudySpec]


def test_cancelling_wakes_whoever_waits_for_a_training() -> None:
    waiting: Completions[int] = Completions()
    found: list[object] = []

    def settle() -> None:  # no main thread: signals do not reach it
        with Interruption() as interruption:
            interruption.tell(waiting.wake)
            threading.Timer(0.05, interruption.cancel, [KeyboardInterrupt()]).start()
            found.append(waiting.next(60))
            found.append(interruption.is_cancelled)

    thread = threading.Thread(target=settle)
    thread.start()
    thread.join(30)

    assert found == [None, True]


def test_cancelling_reaches_the_main_thread_wherever_it_is() -> None:
    interruption = Interruption()
    threading.Timer(0.05, interruption.cancel, [KeyboardInterrupt()]).start()

    with pytest.raises(KeyboardInterrupt), interruption:
        time.sleep(60)


def test_interrupt_in_the_midst_of_a_query_is_one() -> None:
    assert is_interrupt(RuntimeError("Query interrupted"))
    assert is_interrupt(TerminationSignal(signal.SIGTERM))
    assert not is_interrupt(RuntimeError("the disk is gone"))


def test_signal_of_prefects_runner_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect._internal import control_listener

    # As the runner has it set before its SIGTERM; that it does is tried with a worker below.
    monkeypatch.setattr(control_listener, "_intent", "cancel")

    with pytest.raises(KeyboardInterrupt), Interruption():
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.flow
@pytest.mark.usefixtures("prefect_client")
def test_run_that_is_cancelled_in_prefect_ends_cancelled_and_goes_on(
    project: Path, prefect_api: str, endless_hill: Hill
) -> None:
    spec = endless_hill(name="called-off")
    process = DriverProcess(spec, project, prefect_api)
    process.wait_for_calls(1)
    _cancel("tune-called-off")

    code, output = process.finish()

    assert code == 130, output
    assert _states("tune-called-off")[-3:] == ["Running", "Cancelling", "Cancelled"]
    (begun,) = history_of(project, study="called-off").trials
    assert begun.state is TrialState.RUNNING

    (project / "enough").touch()
    assert DriverProcess(spec, project, prefect_api).finish()[0] == 0
    trials = history_of(project, study="called-off").trials
    assert [one.state for one in trials] == [TrialState.COMPLETED] * 2
    assert trials[0].configuration == begun.configuration


@pytest.mark.long
@pytest.mark.flow
@pytest.mark.usefixtures("prefect_client")
def test_run_that_is_stopped_at_once_ends_cancelled(project: Path, prefect_api: str, endless_hill: Hill) -> None:
    process = DriverProcess(endless_hill(name="stopped"), project, prefect_api)
    process.wait_for_calls(1)
    _stop_until(lambda: not process.is_running(), project)

    assert process.finish()[0] == 130
    assert _states("tune-stopped")[-2:] == ["Running", "Cancelled"]


@pytest.mark.long
@pytest.mark.flow
@pytest.mark.usefixtures("prefect_client")
@pytest.mark.parametrize("how", ["served", "worker"])
@pytest.mark.parametrize("by", ["prefect", "pegbox stop"])
def test_scheduled_run_ends_cancelled_with_its_study(
    project: Path, prefect_api: str, endless_hill: Hill, how: str, by: str
) -> None:
    name = f"{how}-{by[-4:]}"
    spec = endless_hill(name=name, schedule={"interval": "1d", "watch": ["hill.py"]})
    host = _serve(spec, project, prefect_api) if how == "served" else _work(spec, project, prefect_api)
    try:
        _wait_until(lambda: calls(project), host)
        if by == "prefect":
            _cancel(f"retune-{name}")
        else:
            _stop_until(lambda: _states(f"retune-{name}")[-1] == "Cancelled", project)
        _wait_until(lambda: _states(f"retune-{name}")[-1] == "Cancelled", host)
        (tuned,) = _studies(project)
        assert _states(f"tune-{tuned}")[-1] == "Cancelled"
        names = {name for run in (f"retune-{name}", f"tune-{tuned}") for name in _states(run)}
        assert not names & {"Failed", "Crashed"}
    finally:
        host.send_signal(signal.SIGINT)
        host.communicate(timeout=PATIENCE_SECONDS)


@pytest.mark.long
@pytest.mark.flow
@pytest.mark.usefixtures("prefect_client")
def test_scheduled_run_that_is_suspended_goes_on_once_it_is_resumed(
    project: Path, prefect_api: str, endless_hill: Hill
) -> None:
    from prefect.client.orchestration import get_client
    from prefect.states import Suspended

    host = _serve(endless_hill(name="rests", schedule={"interval": "1d", "watch": ["hill.py"]}), project, prefect_api)
    try:
        _wait_until(lambda: calls(project), host)
        (run,) = _runs("retune-rests")
        with get_client(sync_client=True) as client:
            client.set_flow_run_state(run.id, Suspended(timeout_seconds=3600))
        _wait_until(lambda: _run_states(project) == ["interrupted"], host)
        (project / "enough").touch()
        with get_client(sync_client=True) as client:
            client.resume_flow_run(run.id)
        _wait_until(lambda: _states("retune-rests")[-1] == "Promoted", host)
        assert _run_states(project) == ["interrupted", "completed"]
        assert not {"Failed", "Crashed", "Cancelled"} & set(_states("retune-rests"))
    finally:
        host.send_signal(signal.SIGINT)
        host.communicate(timeout=PATIENCE_SECONDS)


@pytest.fixture
def endless_hill(slow_hill: Hill) -> Hill:
    """Trials that take an hour, unless there is a file `enough`."""

    def make(**changes: object) -> StudySpec:
        space = {"x": {"min": 0.0, "max": 1.0}, "pause": 3600.0}
        short = {"budget": {"trials": 2}, "finalists": {"top": 1, "seeds": 1}}
        return slow_hill(**{"space": space, **short, **changes})

    return make


def _runs(name: str) -> list[Any]:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterName

    with get_client(sync_client=True) as client:
        return client.read_flow_runs(flow_run_filter=FlowRunFilter(name=FlowRunFilterName(any_=[name])))


def _cancel(name: str) -> None:
    """As the button of Prefect's page does."""
    from prefect.client.orchestration import get_client
    from prefect.states import Cancelling

    (run,) = _runs(name)
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run.id, Cancelling())


def _states(name: str) -> list[str]:
    """Of a flow run, in the order in which it had them."""
    from prefect.client.orchestration import get_client

    (run,) = _runs(name)
    with get_client(sync_client=True) as client:
        return [state.name for state in client.read_flow_run_states(run.id)]


def _wait_until(is_there: Callable[[], object], host: "subprocess.Popen[str] | None" = None) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_there():
        assert host is None or host.poll() is None, host.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.5)


def _stop_until(is_there: Callable[[], object], project: Path) -> None:
    """Again until it is: two signals that come together are one."""
    _wait_until(lambda: _studies(project))
    while not is_there():
        with contextlib.suppress(NotFoundError):  # nobody drives it any more
            stop_study(project / "store", _studies(project)[0])
        time.sleep(1)


def _studies(project: Path) -> list[str]:
    if not (project / "store" / "history.duckdb").exists():
        return []
    with open_history(project / "store") as file:
        return [name for (name,) in file.sql("SELECT study FROM studies").fetchall()]


def _run_states(project: Path) -> list[str]:
    with open_history(project / "store") as file:
        return [name for (name,) in file.sql("SELECT status FROM runs ORDER BY started_at").fetchall()]


def _serve(spec: StudySpec, project: Path, api: str) -> "subprocess.Popen[str]":
    from prefect.deployments import run_deployment

    (project / "study.json").write_text(spec.model_dump_json())
    script = (
        "from pathlib import Path; from pegbox.flows.scheduling import serve_study; "
        "from pegbox.schemas.study import StudySpec; "
        "serve_study(StudySpec.model_validate_json(Path('study.json').read_text()), Path('store'))"
    )
    host = start(project, api, "-c", script)
    _wait_until(lambda: any(one.study == spec.name for one in scheduled_studies()), host)
    run_deployment(f"retune/{spec.name}", timeout=0)
    return host


def _work(spec: StudySpec, project: Path, api: str) -> "subprocess.Popen[str]":
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.deployments import run_deployment

    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name=spec.name, type="process"))
    run_deployment(deploy_study(spec, project / "store", Placing(spec.name)), timeout=0)
    return start(project, api, "-m", "prefect", "worker", "start", "--pool", spec.name, "--type", "process")
