"""A study that learns from earlier ones of its store: the same ones whenever it goes on, and when it is replayed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from driver_process import DriverProcess, calls, history_of

from pegbox.report.replay_audit import replay_study
from pegbox.schemas.base import Configuration
from pegbox.schemas.errors import StudyError
from pegbox.schemas.study import StudySpec

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("prefect_client")]

Hill = Callable[..., StudySpec]


@pytest.fixture
def learner(slow_hill: Hill) -> StudySpec:
    return slow_hill(name="learner", search={"method": "bayes", "warm_start": "auto"})


def _tune(spec: StudySpec, project: Path, store: str = "store") -> None:
    from pegbox.flows.tune import tune

    tune(spec, project / store)


def _teach(teacher: StudySpec, project: Path, store: str = "store") -> None:
    _tune(teacher, project, store)
    (project / "calls.txt").unlink()


def _configurations(project: Path, store: str = "store") -> list[Configuration]:
    return [trial.configuration for trial in history_of(project, store, "learner").trials]


@pytest.mark.long
def test_killed_learner_goes_on_with_what_it_knew(
    project: Path, prefect_api: str, hill: Hill, learner: StudySpec
) -> None:
    teacher = hill(run={"workers": 1, "threads": 1})
    _teach(teacher, project, "undisturbed")
    _tune(learner, project, "undisturbed")
    (project / "calls.txt").unlink()
    _teach(teacher, project)

    process = DriverProcess(learner, project, prefect_api)
    process.wait_for_calls(4)
    process.kill()
    _tune(hill(budget={"trials": 12}), project)
    _tune(hill(name="another teacher"), project)
    code, output = DriverProcess(learner, project, prefect_api).finish()

    assert code == 0, output
    assert [one.study for one in history_of(project, study="learner").earlier or ()] == ["hill"]
    assert _configurations(project) == _configurations(project, "undisturbed")
    assert replay_study(project / "store", "learner").is_exact


def test_learner_begins_near_the_best_of_its_teacher(project: Path, hill: Hill, learner: StudySpec) -> None:
    _teach(hill(budget={"trials": 12}), project)
    _tune(learner, project)

    best = min(history_of(project).completed, key=lambda trial: trial.value("value") or 0.0)
    assert float(str(_configurations(project)[0]["x"])) == pytest.approx(best.configuration["x"], abs=0.1)


def test_named_teacher_that_is_missing_is_told_before_anything_is_trained(project: Path, slow_hill: Hill) -> None:
    spec = slow_hill(name="learner", search={"method": "bayes", "warm_start": ["hil"]})

    with pytest.raises(StudyError, match="no study 'hil' to learn from"):
        _tune(spec, project)

    assert calls(project) == []
