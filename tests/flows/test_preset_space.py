from pathlib import Path
from typing import Any

import pytest
from simulated_study import Simulation, write_simulation

from pegbox.flows.preset_space import draw_space
from pegbox.report.check_study import check_study
from pegbox.schemas.events import StudyOpened
from pegbox.schemas.space import DrawnPreset
from pegbox.schemas.study import StudySpec
from pegbox.storage.amending import amend_study


def study(name: str = "new", **changes: Any) -> StudySpec:
    return Simulation(name, 20, space={"preset": "mlp"}, **changes).spec


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three studies of the function, with 40 trials each."""
    root = tmp_path_factory.mktemp("presets") / "store"
    for seed, name in enumerate(("one", "two", "three")):
        write_simulation(root, Simulation(name, 40, seed))
    return root


def test_empty_store_draws_the_published_ranges(tmp_path: Path) -> None:
    assert draw_space(study(), tmp_path / "none").space.preset == DrawnPreset(kind="mlp")


def test_three_earlier_studies_narrow_the_ranges(store: Path) -> None:
    space = draw_space(study(), store).space
    assert isinstance(space.preset, DrawnPreset)
    assert set(space.preset.narrowed_by) == {"one", "two", "three"}
    assert not space.parameters["lr"].contains(1.1e-5)


def test_studies_of_another_function_narrow_nothing(store: Path) -> None:
    spec = study(train={"kind": "function", "function": "my_project.other:run", "epochs": 27})
    assert draw_space(spec, store).space.preset == DrawnPreset(kind="mlp")


def test_study_that_has_begun_keeps_its_space(store: Path, tmp_path: Path) -> None:
    begun = draw_space(study("begun"), tmp_path / "none")
    simulation = Simulation("begun", 3)
    layout = write_simulation(store, simulation)
    opened = StudyOpened(study="begun", spec=simulation.spec.model_copy(update={"space": begun.space}))
    amend_study(layout, "begun", lambda _: (opened,))

    again = draw_space(study("begun", budget={"trials": 500}), store)

    assert again.space == begun.space
    assert again.budget.trials == 500


def test_preset_of_another_kind_is_refused() -> None:
    spec = study(data={"source": "sklearn:digits", "target": "target"}, train={"kind": "cnn", "epochs": 27})
    (problem,) = check_study(spec)
    assert problem.path == ("space", "preset")
    assert "Write `preset: cnn`" in problem.message


@pytest.mark.parametrize("kind", ["mlp", "resnet", "rnn", "transformer"])
def test_published_ranges_fit_what_the_kind_takes(kind: str) -> None:
    data = {"source": "sklearn:digits", "target": "target"}
    spec = Simulation("fits", 500, data=data, train={"kind": kind, "epochs": 27}, space={"preset": kind}).spec
    assert check_study(spec) == ()


@pytest.mark.parametrize(
    ("preset", "estimator"),
    [
        ("random_forest", "sklearn.ensemble:RandomForestClassifier"),
        ("gradient_boosting", "sklearn.ensemble:HistGradientBoostingClassifier"),
        ("svm", "sklearn.svm:SVC"),
        ("logistic_regression", "sklearn.linear_model:LogisticRegression"),
    ],
)
def test_published_ranges_fit_the_estimators(preset: str, estimator: str) -> None:
    data = {"source": "sklearn:digits", "target": "target"}
    train = {"kind": "sklearn", "estimator": estimator}
    spec = Simulation("fits", 500, data=data, train=train, space={"preset": preset}, fidelity={}).spec
    objective = spec.model_copy(update={"objective": spec.goals[0].model_copy(update={"metric": "val_accuracy"})})
    assert check_study(objective) == ()
