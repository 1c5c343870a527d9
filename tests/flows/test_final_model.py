"""A study ends in a model, once: of its winner's best seed, or of all rows that are not held out."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from driver_process import PATIENCE_SECONDS, DriverProcess
from sklearn.datasets import load_iris

from pegbox.flows.final_model import _of_time, refit_segment
from pegbox.models.files_model import FilesModel
from pegbox.models.load_model import load_model
from pegbox.models.study_model import StudyModel
from pegbox.schemas.selection import Selection
from pegbox.schemas.study import StudySpec
from pegbox.schemas.train import TorchTrain
from pegbox.schemas.trial import MetricReport, Segment, TrainedSegment
from pegbox.storage.history_file import open_history

SAVING = """

def save(x, trial):
    (trial.checkpoint_dir / "x.txt").write_text(str(x))
    return {"value": (x - 0.3) ** 2}
"""
IRIS: dict[str, Any] = {
    "name": "iris",
    "data": {"source": "sklearn:iris"},
    "train": {"kind": "sklearn", "estimator": "sklearn.tree:DecisionTreeClassifier"},
    "space": {"max_depth": [1, 3]},
    "objective": {"metric": "val_accuracy", "goal": "maximize"},
    "search": {"method": "grid"},
    "budget": {"trials": 2},
    "finalists": {"top": 1, "seeds": 1},
    "run": {"workers": 1, "threads": 1},
    "final": "refit",
}


def _tune(spec: StudySpec, project: Path) -> None:
    from pegbox.flows.tune import tune

    tune(spec, project / "store")


def _made(project: Path) -> list[tuple[Any, ...]]:
    with open_history(project / "store") as history:
        return history.sql(
            "SELECT body->>'$.model.path', body->>'reason' FROM events WHERE type = 'model_made'"
        ).fetchall()


@pytest.mark.parametrize(("time", "n_said"), [("day", 1), (None, 0)])
def test_model_of_rows_in_time_says_what_it_was_worth_on_the_latest(time: str | None, n_said: int) -> None:
    data = {"source": "rows.csv", "target": "y", "split": {"time": time}}
    spec = StudySpec.model_validate(IRIS | {"data": data})
    selection = Selection(
        study="iris", metric="val_rmse", goal="minimize", winner=0, configuration={}, finalists=(), reason="It is best."
    )

    said = list(_of_time(spec, selection, {"test_rmse": 3.447, "test_loss": 0.2}))

    assert len(said) == n_said
    assert all("test_rmse was 3.447" in one for one in said)
    assert list(_of_time(spec, selection, {})) == []


@pytest.mark.flow
@pytest.mark.usefixtures("prefect_client")
def test_study_ends_in_a_model_of_all_rows_once(project: Path) -> None:
    spec = StudySpec.model_validate(IRIS)
    _tune(spec, project)
    first = (project / "store" / "models" / "iris" / "latest.pegbox").read_bytes()
    _tune(spec, project)

    model = load_model("iris", store=project / "store")

    assert isinstance(model, StudyModel)
    assert len(_made(project)) == 1
    assert model.path.read_bytes() == first
    assert model.card.n_rows == {"train": 120, "test": 30}
    assert model.configuration == {"max_depth": 3}
    assert model.score(load_iris().data, load_iris().target_names[load_iris().target]) > 0.9
    assert model.card.test_metrics["test_accuracy"] > 0.8
    assert any("learned from the validation rows" in limit for limit in model.card.limits)
    with open_history(project / "store") as history:  # what it was watched on is no measurement of the trial
        assert history.sql(
            "SELECT count(*) FROM metrics WHERE replicate IS NOT NULL AND name = 'val_loss'"
        ).fetchall() == [(1,)]


@pytest.mark.flow
@pytest.mark.usefixtures("prefect_client")
def test_search_decides_among_families_and_the_winner_predicts(project: Path) -> None:
    _tune(StudySpec.model_validate(IRIS | FAMILIES), project)

    model = load_model("families", store=project / "store")

    assert isinstance(model, StudyModel)
    with open_history(project / "store") as history:
        found = history.sql("SELECT family, count(value) FROM study_families GROUP BY 1 ORDER BY 1").fetchall()
        ((family, best),) = history.sql(
            "SELECT family, (SELECT arg_min(number, value) FROM study_families) FROM study_families "
            f"WHERE number = {model.lineage.trial}"
        ).fetchall()
    assert found == [("forest", 2), ("mlp", 2)]
    # One finalist on one seed: the winner is the best of the search, under the names of its own family.
    assert model.lineage.trial == best
    kind, names, told = {
        "forest": ("sklearn", {"n_estimators", "max_features"}, "RandomForestClassifier"),
        "mlp": ("mlp", {"lr"}, "kind mlp"),
    }[family]
    assert (model.manifest.train.kind, set(model.configuration)) == (kind, names)
    assert f"({told})" in model.card.title
    # It learned from all rows; its card tells of a training without those that were held out.
    assert model.card.n_rows == {"train": 150, "test": 30}
    assert model.card.diagnostics is not None
    assert (model.card.diagnostics.part, model.card.diagnostics.n_rows) == ("test", 30)
    assert model.card.test_metrics["test_accuracy"] > 0.8
    assert any("learned from the held-out rows too" in limit for limit in model.card.limits)
    assert model.score(load_iris().data, load_iris().target_names[load_iris().target]) > 0.9


@pytest.mark.flow
@pytest.mark.usefixtures("prefect_client")
def test_model_of_a_function_is_what_it_left(project: Path, hill: Callable[..., StudySpec]) -> None:
    (project / "hill.py").write_text((project / "hill.py").read_text() + SAVING)
    small: dict[str, Any] = {"budget": {"trials": 1}, "finalists": {"top": 1, "seeds": 1}}
    _tune(hill(name="keeps", train={"kind": "function", "function": "hill:save"}, **small), project)
    _tune(hill(name="keeps-nothing", **small), project)

    model = load_model("keeps", store=project / "store")

    assert isinstance(model, FilesModel)
    assert (model.unpack(project / "out") / "x.txt").read_text() == str(model.configuration["x"])
    assert [row[0] is None for row in sorted(_made(project), key=str)] == [False, True]
    assert "left no checkpoint" in str(_made(project))


def test_refit_visits_rows_as_often_as_the_best_epochs_say() -> None:
    train = TorchTrain(kind="mlp", epochs=20, patience=3)
    segment = Segment(study="s", trial=0, configuration={}, seed=1, to_budget=20, fold=1, train=train, code="c")

    def trained(*losses: float) -> TrainedSegment:
        reports = (MetricReport(step=step, metrics={"val_loss": loss}) for step, loss in enumerate(losses, 1))
        return TrainedSegment(budget=len(losses), reports=tuple(reports), seconds=1.0)

    found = refit_segment(segment, [trained(3, 1, 2, 2, 2), trained(3, 2, 2, 1, 2, 2, 2)])

    assert (found.to_budget, found.fold, found.is_model) == (3, 0, True)
    assert isinstance(found.train, TorchTrain)
    assert found.train.patience is None
    assert found.train.epochs == 20  # the schedule of the learning rate spans what it spanned
    plain = segment.model_copy(update={"train": train.model_copy(update={"patience": None})})
    assert refit_segment(plain, [trained(3, 1, 2)]).to_budget == 20


FAMILIES: dict[str, Any] = {
    "name": "families",
    "train": {
        "kind": "families",
        "epochs": 60,
        "families": {
            "forest": {"kind": "sklearn", "estimator": "sklearn.ensemble:RandomForestClassifier"},
            "mlp": {"kind": "mlp", "device": "cpu"},
        },
    },
    "space": {
        "family": ["forest", "mlp"],
        "forest": {"when": {"family": "forest"}, "parameters": {"n_estimators": 3, "max_features": [0.5, 1.0]}},
        "mlp": {"when": {"family": "mlp"}, "parameters": {"lr": [0.01, 0.03]}},
    },
    "objective": {"metric": "val_loss"},
    "budget": {"trials": 4},
    "final": "all",
}
REFITS: dict[str, dict[str, Any]] = {
    "network": {
        "train": {"kind": "mlp", "epochs": 60, "device": "cpu"},
        "space": {"lr": [0.01, 0.03]},
        "objective": {"metric": "val_loss"},
    },
    "families": {**FAMILIES, "name": "iris"},
}


@pytest.mark.long
@pytest.mark.parametrize("kind", REFITS)
def test_model_of_a_killed_refit_is_the_same_bit_for_bit(project: Path, prefect_api: str, kind: str) -> None:
    spec = StudySpec.model_validate(IRIS | REFITS[kind])
    process = DriverProcess(spec, project, prefect_api)
    # The rows of the refit are prepared right before it is trained.
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(list((project / "store" / "data").glob("*/prepared.json"))) < 2:
        assert process.is_running(), process.finish()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    assert not (project / "store" / "models" / "iris" / "latest.pegbox").exists()

    code, output = DriverProcess(spec, project, prefect_api).finish()
    assert code == 0, output
    code, output = DriverProcess(spec, project, prefect_api, store="undisturbed").finish()
    assert code == 0, output

    resumed, whole = (project / store / "models" / "iris" / "latest.pegbox" for store in ("store", "undisturbed"))
    assert resumed.read_bytes() == whole.read_bytes()


@pytest.mark.long
@pytest.mark.flow
@pytest.mark.usefixtures("prefect_client")
def test_study_ends_in_an_ensemble_or_says_why_not(project: Path) -> None:
    ensemble = {
        "name": "ensemble",
        "data": {"source": "sklearn:digits"},
        "train": {"kind": "sklearn", "estimator": "sklearn.ensemble:ExtraTreesClassifier"},
        "space": {"n_estimators": [10], "max_features": [0.1, 0.2, 0.3]},
        "objective": {"metric": "val_loss"},
        "budget": {"trials": 3},
        "finalists": {"top": 3, "seeds": 2},
        "final": "ensemble",
    }
    _tune(StudySpec.model_validate(IRIS | ensemble), project)

    model = load_model("ensemble", store=project / "store")

    assert isinstance(model, StudyModel)
    assert [limit for limit in model.card.limits if "nsemble of" in limit]
    assert (model.manifest.form == "ensemble") == bool(model.manifest.ensemble)
    assert model.card.diagnostics is not None
    assert model.card.test_metrics["test_accuracy"] > 0.9
