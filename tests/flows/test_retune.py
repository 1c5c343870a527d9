"""A scheduled study whose data stays, changes for nothing, and changes for good; through real flows."""

from collections.abc import Callable
from pathlib import Path

import pytest
from driver_process import calls, history_of

from pegbox.schemas.events import ScheduleStep
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import open_history

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("prefect_client")]

Hill = Callable[..., StudySpec]

TRAIN = '''
"""A hill whose top the data says; every training leaves a line in calls.txt."""

from pathlib import Path


def run(x, trial):
    with Path("calls.txt").open("a") as calls:
        calls.write(f"{x!r}\\n")
    top = float(trial.data.train.target.mean())
    return {"value": abs(x - top) + 1e-6 * (trial.seed % 97)}
'''


@pytest.fixture
def moving(project: Path, hill: Hill) -> Hill:
    """A study whose best x is the mean of the data's target."""
    (project / "hill.py").write_text(TRAIN)
    (project / "data").mkdir()

    def make(**changes: object) -> StudySpec:
        data = {"source": "data/rows.csv", "target": "y", "split": {"test": 0.0, "valid": 0.2}}
        budget = {"budget": {"trials": 4}, "finalists": {"top": 2, "seeds": 3}}
        return hill(**{"data": data, "schedule": {"interval": "1d"}, **budget, **changes})

    return make


def _write_data(project: Path, top: float, shade: float = 0.0) -> None:
    rows = "".join(f"{number + shade},{top + 0.01 * (number % 3 - 1)}\n" for number in range(20))
    (project / "data" / "rows.csv").write_text("a,y\n" + rows)


def _retune(spec: StudySpec, project: Path) -> ScheduleStep:
    from pegbox.flows.retune import retune

    return retune(spec, project / "store")


def test_scheduled_study_looks_after_itself(project: Path, moving: Hill) -> None:
    _write_data(project, top=0.3)
    first = _retune(moving(), project)
    n_first = len(calls(project))

    unchanged = _retune(moving(), project)

    assert (first.step, unchanged.step) == ("promoted", "unchanged")
    assert len(calls(project)) == n_first
    assert first.incumbent is not None
    assert unchanged.incumbent == first.incumbent

    _write_data(project, top=0.3, shade=0.5)
    held = _retune(moving(), project)

    assert held.step == "held"
    assert len(calls(project)) == n_first + 1 + 3
    assert held.incumbent == first.incumbent

    _write_data(project, top=0.9)
    promoted = _retune(moving(), project)

    assert promoted.step == "promoted", promoted.reason
    assert promoted.incumbent is not None
    assert promoted.incumbent.configuration != first.incumbent.configuration
    tuned = history_of(project, study=promoted.incumbent.study)
    assert tuned.trials[0].configuration == first.incumbent.configuration
    steps = open_history(project / "store").sql(
        "SELECT body->>'step', body->>'reason' FROM events WHERE type = 'schedule_step' ORDER BY written_at"
    )
    rows = steps.fetchall()
    assert [step for step, _ in rows] == ["promoted", "unchanged", "held", "lapsed", "promoted"]
    assert "the incumbent is worse by" in rows[3][1]


def test_study_without_data_is_tuned_again_when_its_code_changes(project: Path, hill: Hill) -> None:
    spec = hill(budget={"trials": 2}, finalists={"top": 2, "seeds": 2}, schedule={"interval": "1d", "always": True})
    first = _retune(spec, project)
    (project / "hill.py").write_text((project / "hill.py").read_text() + "\n# said in other words\n")

    second = _retune(spec, project)

    assert (first.step, second.step) == ("promoted", "kept")
    assert first.incumbent is not None
    assert second.incumbent is not None
    assert second.incumbent.configuration == first.incumbent.configuration
    assert second.incumbent.study.endswith("/incumbent")
    assert second.data_fingerprint != first.data_fingerprint


def test_tuning_again_learns_from_what_was_tuned_before(project: Path, moving: Hill) -> None:
    spec = moving(search={"method": "bayes"}, budget={"trials": 6})
    _write_data(project, top=0.3)
    first = _retune(spec, project)
    _write_data(project, top=0.9)
    second = _retune(spec, project)

    assert first.incumbent is not None
    tuned = history_of(project, study=f"hill@{second.data_fingerprint[:8]}")
    assert [one.study for one in tuned.earlier or ()] == [first.incumbent.study]
