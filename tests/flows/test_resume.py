"""A run that is killed or interrupted, and the same command again."""

import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from driver_process import DriverProcess, calls, history_of

from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState
from pegbox.storage.history_file import open_history

pytestmark = pytest.mark.flow

Hill = Callable[..., StudySpec]


def test_killed_run_goes_on_as_if_nothing_had_happened(project: Path, prefect_api: str, slow_hill: Hill) -> None:
    undisturbed = DriverProcess(slow_hill(), project, prefect_api, store="undisturbed")
    assert undisturbed.finish()[0] == 0
    (project / "calls.txt").unlink()

    for count in (2, 5):
        process = DriverProcess(slow_hill(), project, prefect_api)
        process.wait_for_calls(count)
        process.kill()
    code, output = DriverProcess(slow_hill(), project, prefect_api).finish()

    assert code == 0, output
    resumed, expected = history_of(project), history_of(project, "undisturbed")
    assert [trial.configuration for trial in resumed.trials] == [trial.configuration for trial in expected.trials]
    assert [trial.seed for trial in resumed.trials] == [trial.seed for trial in expected.trials]
    assert [trial.value("value") for trial in resumed.trials] == [trial.value("value") for trial in expected.trials]
    assert resumed.selection is not None
    assert expected.selection is not None
    assert resumed.selection.winner == expected.selection.winner
    assert resumed.selection.finalists == expected.selection.finalists


@pytest.mark.long
def test_killed_finalists_round_comes_to_the_same_answer(project: Path, prefect_api: str, slow_hill: Hill) -> None:
    finalists = {"top": 3, "seeds": 5}
    undisturbed = DriverProcess(slow_hill(finalists=finalists), project, prefect_api, store="undisturbed")
    assert undisturbed.finish()[0] == 0
    (project / "calls.txt").unlink()

    process = DriverProcess(slow_hill(finalists=finalists), project, prefect_api)
    process.wait_for_calls(8 + 11)
    process.kill()
    code, output = DriverProcess(slow_hill(finalists=finalists), project, prefect_api).finish()

    assert code == 0, output
    resumed, expected = history_of(project).selection, history_of(project, "undisturbed").selection
    assert resumed is not None
    assert expected is not None
    assert (resumed.winner, resumed.finalists) == (expected.winner, expected.finalists)
    assert sorted(len(finalist.values) for finalist in resumed.finalists) == [3, 3, 5]


@pytest.mark.long
def test_killed_run_trains_no_finished_trial_again(project: Path, prefect_api: str, slow_hill: Hill) -> None:
    process = DriverProcess(slow_hill(run={"workers": 2, "threads": 1}), project, prefect_api)
    process.wait_for_calls(4)
    process.kill()
    finished = {str(trial.configuration["x"]) for trial in history_of(project).completed}

    code, output = DriverProcess(slow_hill(run={"workers": 2, "threads": 1}), project, prefect_api).finish()

    assert code == 0, output
    history = history_of(project)
    assert [trial.state for trial in history.trials] == [TrialState.COMPLETED] * 8
    trained = Counter(calls(project))
    replicated = Counter(str(trial.configuration["x"]) for trial in history.trials for _ in trial.replicates)
    again = {x: count - 1 - replicated[x] for x, count in trained.items()}
    assert all(again[x] == 0 for x in finished)
    assert sum(again.values()) <= 2


def test_interrupted_run_lets_running_trials_finish(project: Path, prefect_api: str, slow_hill: Hill) -> None:
    process = DriverProcess(slow_hill(), project, prefect_api)
    process.wait_for_calls(2)
    process.signal(signal.SIGINT)

    code, output = process.finish()

    assert code == 130, output
    history = history_of(project)
    assert all(trial.state is TrialState.COMPLETED for trial in history.trials)
    assert 2 <= len(history.trials) < 8
    runs = open_history(project / "store").sql("SELECT status FROM runs").fetchall()
    assert runs == [("interrupted",)]


def test_second_driver_of_a_study_is_told_who_holds_it(project: Path, prefect_api: str, slow_hill: Hill) -> None:
    space = {"x": {"min": 0.0, "max": 1.0}, "pause": 60.0}
    first = DriverProcess(slow_hill(space=space), project, prefect_api)
    first.wait_for_calls(1)

    code, output = DriverProcess(slow_hill(space=space), project, prefect_api).finish()

    (project / "enough").touch()
    first.kill()
    assert code == 5, output
    assert f"process {first.pid}" in output


def test_readers_and_a_second_study_work_beside_a_run(project: Path, prefect_api: str, slow_hill: Hill) -> None:
    first = DriverProcess(slow_hill(), project, prefect_api)
    first.wait_for_calls(1)
    second = DriverProcess(slow_hill(name="other", seed=1), project, prefect_api)

    answers = []
    while first.is_running() or second.is_running():
        answers.append(open_history(project / "store").sql("SELECT count(*) FROM trials").fetchall()[0][0])
        time.sleep(0.1)

    assert (first.finish()[0], second.finish()[0]) == (0, 0)
    assert answers == sorted(answers)
    assert answers[-1] <= 16
