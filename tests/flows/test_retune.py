"""A scheduled study whose data stays, changes for nothing, and changes for good; through real flows."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from driver_process import calls, history_of
from prefect.client.schemas.objects import StateType

from pegbox.schemas.errors import StudyError
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import open_history
from pegbox.storage.layout import StoreLayout
from pegbox.storage.schedule_log import schedule_steps

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


def _retune(spec: StudySpec, project: Path, **how: Any) -> Any:
    from pegbox.flows.retune import retune

    return retune(spec, project / "store", **how)


def test_scheduled_study_looks_after_itself(project: Path, moving: Hill) -> None:
    _write_data(project, top=0.3)
    first = _retune(moving(), project)
    n_first = len(calls(project))

    state = _retune(moving(), project, return_state=True)
    unchanged = state.result()

    assert (state.name, state.message, state.type) == ("Unchanged", unchanged.reason, StateType.COMPLETED)
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
    shown = _answers_shown("hill")
    assert [row["step"] for row in shown] == [step for step, _ in rows[::-1]]
    assert shown[0]["runs since"] == f"x={promoted.incumbent.configuration['x']:.4g}"
    assert float(shown[0]["value"].split()[0]) == pytest.approx(tuned.selection.finalists[0].expected, rel=0.01)
    assert rows[3][1].startswith("On the new data the incumbent is worse by 0.")


def _answers_shown(study: str) -> list[dict[str, Any]]:
    """The rows of the newest version of the artifact."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        found = client._client.get(f"/artifacts/schedule-{study}/latest").json()
    return list(json.loads(found["data"]))


def test_study_that_reads_its_own_data_is_tuned_again_when_what_it_watches_or_its_code_changes(
    project: Path, hill: Hill
) -> None:
    (project / "rows.csv").write_text("v\n1\n")
    clock = {"interval": "1d", "watch": ["rows.csv"]}
    spec = hill(budget={"trials": 2}, finalists={"top": 2, "seeds": 2}, schedule=clock)
    first = _retune(spec, project)
    unchanged = _retune(spec, project)
    (project / "rows.csv").write_text("v\n100\n")
    moved = _retune(spec, project)
    (project / "hill.py").write_text((project / "hill.py").read_text().replace("0.3) ** 2", "0.3) ** 2 + 1"))

    rewritten = _retune(spec, project)

    assert first.incumbent is not None
    assert [first.step, unchanged.step, moved.step] == ["promoted", "unchanged", "held"]
    assert unchanged.reason.startswith("The data and the code are the same")
    assert moved.reason.startswith("On the new data the incumbent still holds")
    assert rewritten.reason.startswith("With the new code")
    assert len({first.data_fingerprint, moved.data_fingerprint}) == 2
    assert (moved.data_fingerprint, moved.code_fingerprint) == (rewritten.data_fingerprint, first.code_fingerprint)
    steps = [step.step for step in schedule_steps(StoreLayout(project / "store"), "hill")]
    assert steps[3:] == ["lapsed", rewritten.step]


def test_study_whose_data_nobody_sees_is_refused_or_always_tuned(project: Path, hill: Hill) -> None:
    short = {"budget": {"trials": 1}, "finalists": {"top": 1, "seeds": 1}}
    with pytest.raises(StudyError, match="a schedule cannot see whether that has changed"):
        _retune(hill(schedule={"interval": "1d"}, **short), project)
    always = hill(schedule={"interval": "1d", "always": True}, **short)

    first, second = _retune(always, project), _retune(always, project)

    assert (first.step, second.step) == ("promoted", "kept")
    assert second.reason.startswith("On data that pegbox cannot see")
    assert first.data_fingerprint is None
    assert len({first.incumbent.study, second.incumbent.study.removesuffix("/incumbent")}) == 2


@pytest.mark.long
def test_tuning_again_learns_from_what_was_tuned_before(project: Path, moving: Hill) -> None:
    spec = moving(search={"method": "bayes"}, budget={"trials": 6})
    _write_data(project, top=0.3)
    first = _retune(spec, project)
    _write_data(project, top=0.9)
    second = _retune(spec, project)

    assert second.data_fingerprint != first.data_fingerprint
    with open_history(project / "store") as file:
        names = file.sql("SELECT study FROM studies WHERE study LIKE 'hill@________'").fetchall()
    ((tuned,),) = [name for name in names if name[0] != first.incumbent.study]
    assert [one.study for one in history_of(project, study=tuned).earlier or ()] == [first.incumbent.study]


@pytest.mark.long
def test_fall_is_judged_by_rows_and_explained(project: Path) -> None:
    spec = StudySpec.model_validate(
        {
            "name": "trees",
            "data": {"source": "rows.csv", "target": "y", "split": {"test": 0.0, "valid": 0.3}},
            "train": {"kind": "sklearn", "estimator": "sklearn.tree:DecisionTreeClassifier"},
            "space": {"max_depth": {"min": 3, "max": 6, "int": True}},
            "objective": {"metric": "val_accuracy", "goal": "maximize"},
            "search": {"method": "random"},
            "budget": {"trials": 1},
            "run": {"workers": 1, "threads": 1},
            "finalists": {"top": 1, "seeds": 2},
            "schedule": {"interval": "1d"},
        }
    )
    _draw(project, seed=0)
    first = _retune(spec, project)
    _draw(project, seed=1)
    again = _retune(spec, project)
    _draw(project, seed=2, mixed=0.4)
    fallen = _retune(spec, project)

    assert (first.step, again.step) == ("promoted", "held")
    assert "over 2 common seeds and 120 rows" in again.reason
    assert again.reason.endswith("The inputs did not move.")
    lapsed = schedule_steps(StoreLayout(project / "store"), "trees")[2]
    assert (lapsed.step, fallen.step) == ("lapsed", "kept")
    assert lapsed.reason.endswith("The inputs did not move. What they say of the target did.")


def _draw(project: Path, seed: int, mixed: float = 0.0) -> None:
    """Rows whose class an input and a word tell, but for a share that is mixed up."""
    rng = np.random.default_rng(seed)
    a, word = rng.normal(size=400), rng.choice(["red", "blue"], size=400)
    y = np.where(rng.random(400) < mixed, rng.integers(0, 2, size=400), (a > 0) == (word == "red"))
    rows = "".join(
        f"{number:.4f},{name},{'yes' if one else 'no'}\n" for number, name, one in zip(a, word, y, strict=True)
    )
    (project / "rows.csv").write_text("a,word,y\n" + rows)
