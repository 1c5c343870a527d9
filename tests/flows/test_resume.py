"""A run that is killed or interrupted, and the same command again."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState
from pegbox.storage.history_file import open_history

pytestmark = pytest.mark.flow

DRIVE = """
import sys
from pathlib import Path
from pegbox.flows.tune import tune
from pegbox.schemas.errors import PegboxError
from pegbox.schemas.study import StudySpec

try:
    tune(StudySpec.model_validate_json(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
except PegboxError as error:
    print(error)
    sys.exit(error.exit_code)
"""

Hill = Callable[..., StudySpec]


@pytest.fixture
def slow_hill(hill: Hill) -> Hill:
    """The hill with trials of a fifth of a second, one after the other."""

    def make(**changes: object) -> StudySpec:
        space = {"x": {"min": 0.0, "max": 1.0}, "pause": 0.2}
        return hill(**{"space": space, "budget": {"trials": 8}, "run": {"workers": 1, "threads": 1}, **changes})

    return make


def _start(spec: StudySpec, project: Path, api: str, store: str = "store") -> "subprocess.Popen[str]":
    (project / "study.json").write_text(spec.model_dump_json())
    return subprocess.Popen(
        [sys.executable, "-c", DRIVE, "study.json", store],
        cwd=project,
        env={**os.environ, "PREFECT_API_URL": api},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _finish(process: "subprocess.Popen[str]") -> tuple[int, str]:
    output, _ = process.communicate(timeout=240)
    return process.returncode, output


def _calls(project: Path) -> list[str]:
    path = project / "calls.txt"
    return path.read_text().splitlines() if path.exists() else []


def _wait_for_calls(project: Path, count: int, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 120
    while len(_calls(project)) < count:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _history(project: Path, store: str = "store") -> History:
    return open_history(project / store).history("hill")


def test_killed_run_goes_on_as_if_nothing_had_happened(project: Path, prefect_api: str, slow_hill: Hill) -> None:
    undisturbed = _start(slow_hill(), project, prefect_api, store="undisturbed")
    assert _finish(undisturbed)[0] == 0
    (project / "calls.txt").unlink()

    for count in (2, 5):
        process = _start(slow_hill(), project, prefect_api)
        _wait_for_calls(project, count, process)
        process.kill()
        _finish(process)
    code, output = _finish(_start(slow_hill(), project, prefect_api))

    assert code == 0, output
    resumed, expected = _history(project), _history(project, "undisturbed")
    assert [trial.configuration for trial in resumed.trials] == [trial.configuration for trial in expected.trials]
    assert [trial.seed for trial in resumed.trials] == [trial.seed for trial in expected.trials]
    assert [trial.value("value") for trial in resumed.trials] == [trial.value("value") for trial in expected.trials]
    assert resumed.selection is not None
    assert expected.selection is not None
    assert resumed.selection.winner == expected.selection.winner
    assert resumed.selection.finalists == expected.selection.finalists


def test_killed_run_trains_no_finished_trial_again(project: Path, prefect_api: str, slow_hill: Hill) -> None:
    process = _start(slow_hill(run={"workers": 2, "threads": 1}), project, prefect_api)
    _wait_for_calls(project, 4, process)
    process.kill()
    _finish(process)
    finished = {str(trial.configuration["x"]) for trial in _history(project).completed}

    code, output = _finish(_start(slow_hill(run={"workers": 2, "threads": 1}), project, prefect_api))

    assert code == 0, output
    history = _history(project)
    assert [trial.state for trial in history.trials] == [TrialState.COMPLETED] * 8
    calls = Counter(_calls(project))
    replicated = Counter(str(trial.configuration["x"]) for trial in history.trials for _ in trial.replicates)
    again = {x: count - 1 - replicated[x] for x, count in calls.items()}
    assert all(again[x] == 0 for x in finished)
    assert sum(again.values()) <= 2


def test_interrupted_run_lets_running_trials_finish(project: Path, prefect_api: str, slow_hill: Hill) -> None:
    process = _start(slow_hill(), project, prefect_api)
    _wait_for_calls(project, 2, process)
    process.send_signal(signal.SIGINT)

    code, output = _finish(process)

    assert code == 130, output
    history = _history(project)
    assert all(trial.state is TrialState.COMPLETED for trial in history.trials)
    assert 2 <= len(history.trials) < 8
    runs = open_history(project / "store").sql("SELECT status FROM runs").fetchall()
    assert runs == [("interrupted",)]


def test_second_driver_of_a_study_is_told_who_holds_it(project: Path, prefect_api: str, slow_hill: Hill) -> None:
    space = {"x": {"min": 0.0, "max": 1.0}, "pause": 60.0}
    first = _start(slow_hill(space=space), project, prefect_api)
    _wait_for_calls(project, 1, first)

    code, output = _finish(_start(slow_hill(space=space), project, prefect_api))

    first.kill()
    _finish(first)
    assert code == 5, output
    assert f"process {first.pid}" in output


def test_readers_and_a_second_study_work_beside_a_run(project: Path, prefect_api: str, slow_hill: Hill) -> None:
    first = _start(slow_hill(), project, prefect_api)
    _wait_for_calls(project, 1, first)
    second = _start(slow_hill(name="other", seed=1), project, prefect_api)

    answers = []
    while first.poll() is None or second.poll() is None:
        answers.append(open_history(project / "store").sql("SELECT count(*) FROM trials").fetchall()[0][0])
        time.sleep(0.1)

    assert (_finish(first)[0], _finish(second)[0]) == (0, 0)
    assert answers == sorted(answers)
    assert answers[-1] <= 16
