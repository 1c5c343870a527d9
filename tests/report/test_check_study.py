import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pegbox.report.check_study import check_study, look_at_data
from pegbox.schemas.errors import Problem
from pegbox.schemas.study import StudySpec
from pegbox.schemas.study_file import read_study

REPOSITORY = Path(__file__).parents[2]

STUDY: dict[str, Any] = {
    "name": "digits",
    "data": {"source": "sklearn:digits"},
    "train": {"kind": "mlp", "task": "classification", "epochs": 3},
    "space": {"lr": {"min": 1e-4, "max": 1e-1, "log": True}},
    "objective": {"metric": "val_loss"},
    "search": {"method": "random"},
    "budget": {"trials": 4},
}


def check(**changes: Any) -> tuple[Problem, ...]:
    return check_study(StudySpec.model_validate({**STUDY, **changes}))


def test_study_in_order_has_no_problem() -> None:
    assert check() == ()


@pytest.mark.parametrize("name", ["churn", "energy"])
def test_examples_have_no_problem(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)

    assert check_study(read_study(Path(f"examples/{name}.yaml")).spec) == ()


@pytest.mark.parametrize(
    ("changes", "path", "message"),
    [
        ({"data": {"source": "sklearn:digit"}}, ("data", "source"), "Did you mean 'digits'?"),
        ({"space": {"learning_rate": {"min": 0, "max": 1}}}, ("space", "learning_rate"), "learning_rate"),
        ({"objective": {"metric": "val_los"}}, ("objective", "metric"), "Did you mean 'val_loss'?"),
        ({"search": {"method": "randm"}}, ("search", "method"), "Did you mean 'random'?"),
    ],
    ids=["datasets", "training, its space", "training, its metrics", "search"],
)
def test_problems_of_every_room_are_told(changes: dict[str, Any], path: tuple[str | int, ...], message: str) -> None:
    (problem,) = check(**changes)

    assert problem.path == path
    assert message in problem.message


def test_problems_of_all_rooms_are_told_at_once() -> None:
    problems = check(data={"source": "sklearn:digit"}, search={"method": "randm"}, objective={"metric": "val_los"})

    assert [problem.path[0] for problem in problems] == ["data", "objective", "search"]


def test_constraint_on_a_metric_that_no_model_measures_is_refused() -> None:
    (problem,) = check(constraints=[{"metric": "paramters", "max": 1000}])

    assert problem.path == ("constraints", 0, "metric")
    assert "Did you mean 'parameters'" in problem.message


def test_schedule_of_several_objectives_is_refused() -> None:
    objectives = [{"metric": "val_loss"}, {"metric": "val_accuracy", "goal": "maximize"}]

    (problem,) = check(objective=None, objectives=objectives, schedule={"cron": "0 3 * * 1"})

    assert (problem.path, "one objective" in problem.message) == (("schedule",), True)


def test_cost_that_no_model_measures_is_refused() -> None:
    (problem,) = check(budget={"cost": 3.0})

    assert problem.path == ("budget", "cost")


def test_checking_loads_neither_prefect_nor_torch() -> None:
    code = (
        "import sys; from pathlib import Path; from pegbox.report.check_study import check_study; "
        "from pegbox.schemas.study_file import read_study; "
        "assert check_study(read_study(Path('examples/churn.yaml')).spec) == (); "
        "print(sorted({'prefect', 'torch', 'sklearn', 'pandas'} & set(sys.modules)))"
    )

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)

    assert run.stdout.strip() == "[]"


def test_target_of_one_class_is_told_once_the_data_is_read(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("a,b\n1,x\n2,x\n3,x\n")

    ((problem,), _) = look_at_data(StudySpec.model_validate({**STUDY, "data": {"source": str(rows), "target": "b"}}))

    assert problem.path == ("data", "target")
    assert "one class" in problem.message


def test_study_that_fits_its_data_has_no_problem() -> None:
    assert look_at_data(StudySpec.model_validate(STUDY))[0] == ()


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"tags": {"db": "postgresql://me:hunter2x@db/x"}}, ("tags", "db")),
        ({"tags": {"api_key": "hunter2x"}}, ("tags", "api_key")),
        ({"data": {"source": "SELECT * FROM 'https://me:hunter2x@host/x.csv'"}}, ("data", "source")),
        ({"space": {"lr": {"min": 1e-4, "max": 1e-1}, "api_key": "hunter2x"}}, ("space", "api_key")),
        (
            {"train": {"kind": "custom", "trainer": "math:sin", "options": {"login": [{"password": "hunter2x"}]}}},
            ("train", "options", "login", 0, "password"),
        ),
        ({"run": {"engine": "ray", "shared": "s3://key:hunter2x@bucket/x"}}, ("run", "shared")),
        (
            {"data": None, "train": {"kind": "command", "command": ["true", "--password", "hunter2x", "{lr}"]}},
            ("train", "command"),
        ),
    ],
)
def test_a_secret_in_a_study_is_refused_and_not_repeated(changes: dict[str, Any], path: tuple[str, ...]) -> None:
    (problem,) = (problem for problem in check(**changes) if "secret" in problem.message)

    assert problem.path == path
    assert "hunter2x" not in problem.message
    assert "${env:NAME}" in problem.message


def test_a_secret_of_the_environment_is_welcome() -> None:
    command = ["true", "--password=${env:PATH}", "{lr}"]

    assert check(data=None, train={"kind": "command", "command": command}) == ()
