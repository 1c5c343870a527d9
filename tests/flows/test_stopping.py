"""Commands of another terminal that stop a running study and go on with it, as processes of their own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from driver_process import PATIENCE_SECONDS, DriverProcess, history_of

from pegbox.flows.stopping import stop_study
from pegbox.schemas.errors import NotFoundError, StoreBusyError
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState

pytestmark = pytest.mark.flow

Hill = Callable[..., StudySpec]


def _pegbox(project: Path, api: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", "from pegbox.cli.app import main; main()", *arguments, "--store", "store"],
        cwd=project,
        env={**os.environ, "PREFECT_API_URL": api},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


@pytest.mark.long
def test_stopped_study_is_resumed_by_its_name(project: Path, prefect_api: str, slow_hill: Hill) -> None:
    process = DriverProcess(slow_hill(budget={"trials": 60}), project, prefect_api)
    process.wait_for_calls(2)

    stopped = _pegbox(project, prefect_api, "stop", "hill")
    code, output = process.finish()

    assert stopped.returncode == 0, stopped.stderr
    assert str(process.pid) in stopped.stderr
    assert code == 130, output
    trials = history_of(project).trials
    assert len(trials) < 60
    # One may have been proposed in the moment of the signal; what has begun is finished.
    done = {trial.number: trial.evaluations for trial in trials if trial.state is TrialState.COMPLETED}
    assert all(trial.state is TrialState.PROPOSED for trial in trials if trial.number not in done)
    assert len(done) >= len(trials) - 1

    longer = f"budget.trials={len(trials) + 2}"
    resumed = _pegbox(project, prefect_api, "resume", "hill", "--set", longer, "--set", "run.workers=2")

    assert resumed.returncode == 0, resumed.stderr
    kept = history_of(project).trials
    assert {number: kept[number].evaluations for number in done} == done
    assert len(history_of(project).completed) == len(trials) + 2


def test_study_that_nobody_drives_cannot_be_stopped(project: Path, prefect_api: str, slow_hill: Hill) -> None:
    DriverProcess(slow_hill(budget={"trials": 1}, finalists={"top": 1, "seeds": 1}), project, prefect_api).finish()

    with pytest.raises(NotFoundError, match="Nobody drives the study 'hill'"):
        stop_study(project / "store", "hill")
    with pytest.raises(NotFoundError, match=r"no study 'hall'\. Did you mean 'hill'"):
        stop_study(project / "store", "hall")


def test_driver_on_another_host_is_named(
    project: Path, prefect_api: str, slow_hill: Hill, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = DriverProcess(slow_hill(), project, prefect_api)
    process.wait_for_calls(1)
    monkeypatch.setattr("socket.gethostname", lambda: "elsewhere")

    with pytest.raises(StoreBusyError, match="a signal does not go from 'elsewhere'"):
        stop_study(project / "store", "hill")

    assert process.is_running()
    process.kill()
