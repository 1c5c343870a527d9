"""A model answers as its trial was measured, whatever form rows come in, and tells what does not fit by name."""

import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.inspection import permutation_importance
from small_model import CARD, customers, make_model, segment_for, table_of

from pegbox.datasets.prepare import prepare
from pegbox.datasets.prepared import open_prepared
from pegbox.models.load_model import load_model
from pegbox.models.write_model import ModelRequest, write_model
from pegbox.schemas.data import DataSpec, PreparedData
from pegbox.schemas.errors import DataError, ModelError
from pegbox.schemas.model import Lineage
from pegbox.schemas.train import ModuleTrain, SklearnTrain, TorchTrain
from pegbox.schemas.trial import TrainedSegment
from pegbox.training.kinds.registry import trainer_for


def accuracy_of_trainer(model_file: Path, train: Any) -> float:
    """What the trainer itself measures on the test rows of the same checkpoint."""
    (info,) = (model_file.parent / "data").glob("*/prepared.json")
    data = PreparedData.model_validate_json(info.read_text())
    (checkpoint,) = [path for path in model_file.parent.iterdir() if path.suffix in {".pt", ".pkl"}]
    trained = TrainedSegment(budget=train.epochs, checkpoint=checkpoint, seconds=0.0)
    found = trainer_for(train).evaluate(segment_for(train, {}, train.epochs), trained, open_prepared(data, 0), "test")
    return found.metrics["test_accuracy"]


def test_model_answers_as_its_trial_was_measured(model: Any, model_file: Path) -> None:
    (info,) = (model_file.parent / "data").glob("*/prepared.json")
    test = open_prepared(PreparedData.model_validate_json(info.read_text()), 0).test
    assert test is not None

    said = model.predictor.predict(np.array(test.numeric), np.array(test.categorical))

    assert (said == test.target).mean() == pytest.approx(accuracy_of_trainer(model_file, model.manifest.train))


def test_rows_of_the_source_become_the_arrays_of_training(model: Any, model_file: Path) -> None:
    (info,) = (model_file.parent / "data").glob("*/prepared.json")
    splits = open_prepared(PreparedData.model_validate_json(info.read_text()), 0)

    numeric, codes = model._rows.read(table_of(customers()))

    parts = [splits.train, splits.valid, splits.test]
    prepared = {(part.numeric[i].tobytes(), part.categorical[i].tobytes()) for part in parts for i in range(len(part))}
    assert {(numeric[i].tobytes(), codes[i].tobytes()) for i in range(len(numeric))} == prepared


def test_forms_of_rows_are_answered_alike(model: Any) -> None:
    columns = customers(20)
    frame = pd.DataFrame(columns)
    expected = model.predict(table_of(columns)).tolist()

    assert model.predict(frame).tolist() == expected
    assert model.predict(frame[["since", "member", "city", "age"]]).tolist() == expected
    assert model.predict(columns).tolist() == expected
    assert model.predict(frame.to_dict("records")).tolist() == expected
    assert model.predict(frame.iloc[:1]).tolist() == expected[:1]
    assert model.predict(frame.iloc[:0]).tolist() == []
    assert model.predict_proba(frame.iloc[:0]).shape == (0, 2)


def test_probabilities_belong_to_the_classes(model: Any) -> None:
    rows = table_of(customers())

    probabilities = model.predict_proba(rows)

    assert model.classes_.tolist() == ["left", "stays"]
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(120), abs=1e-6)
    assert (model.classes_[probabilities.argmax(axis=1)] == model.predict(rows)).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"age": None}, "the column 'age' is missing. Did you mean 'ages'?"),
        ({"age": ["old"] * 3}, "the column 'age' held numbers in training, got 'old' in row 1"),
        ({"age": [[1], [2], [3]]}, "the column 'age' held numbers in training, got values that are neither"),
        ({"age": [1.0, float("inf"), 2.0]}, "got inf in row 2"),
        ({"member": ["yes", "maybe", "no"]}, "the column 'member' held yes or no in training, got 'maybe' in row 2"),
        ({"member": [1, 2, 0]}, "the column 'member' held yes or no in training, got numbers"),
        ({"since": [1, 2, 3]}, "the column 'since' held dates in training, got numbers"),
        ({"since": ["2024-01-01", "soon", None]}, "the column 'since' held dates in training, got 'soon' in row 2"),
        ({"city": [[1], [2], [3]]}, "the column 'city' held categories in training"),
    ],
)
def test_rows_that_do_not_fit_are_told_by_column(model: Any, change: dict[str, Any], said: str) -> None:
    columns = {**customers(3), **change}
    if change.get("age", 0) is None:
        columns["ages"] = columns.pop("age") or [1, 2, 3]

    with pytest.raises(DataError, match=re.escape(said)):
        model.predict(table_of(columns))


def test_all_that_does_not_fit_is_told_at_once(model: Any) -> None:
    with pytest.raises(DataError) as caught:
        model.predict(table_of({**customers(3), "age": ["old"] * 3, "member": ["maybe"] * 3}))

    assert len(caught.value.problems) == 2


def test_repeated_column_is_refused(model: Any) -> None:
    table = table_of(customers(3))

    with pytest.raises(DataError, match="'age' stands there 2 times"):
        model.predict(table.append_column("age", table["age"]))


def test_what_is_harmless_is_told_as_a_warning(model: Any) -> None:
    columns = {**customers(3), "city": ["Paris", "Bonn", None], "member": ["yes", None, "no"], "extra": [1, 2, 3]}

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model.predict(table_of(columns))

    said = "\n".join(str(one.message) for one in told)
    assert "the column 'extra' is not known" in said
    assert "'city' holds a category that training never saw in 1 row" in said
    assert "'member' is missing in 1 row, and never was in training" in said


def test_spellings_of_one_value_are_one(model: Any) -> None:
    plain = {**customers(3), "age": [30.0, 40.0, 50.0], "member": [True, False, True], "since": ["2024-03-01"] * 3}
    written = {**plain, "age": ["30", " 40", "50.0"], "member": ["YES", "no ", "yes"], "since": ["1 March 2024"] * 3}

    assert model.predict_proba(table_of(written)).tolist() == model.predict_proba(table_of(plain)).tolist()


def test_scikit_learn_takes_it_for_an_estimator(model: Any) -> None:
    frame = pd.DataFrame(customers(40))
    features = frame[["age", "city", "member", "since"]]

    importance = permutation_importance(model, features, frame["churn"], n_repeats=2, random_state=0)

    assert is_classifier(model)
    assert clone(model) is model
    assert model.fit(features, frame["churn"]) is model
    assert importance.importances.shape == (4, 2)
    assert model.score(features, frame["churn"]) == pytest.approx((model.predict(features) == frame["churn"]).mean())
    assert model.get_params() == dict(model.configuration)
    with pytest.raises(ModelError, match="cannot be given another 'lr'"):
        model.set_params(lr=1.0)


@pytest.mark.parametrize(
    ("target", "expected"),
    [([0, 1], np.int64), ([True, False], np.bool_), (["a", "b"], np.object_)],
    ids=["whole numbers", "truth values", "words"],
)
def test_classes_come_back_as_the_source_has_them(tmp_path: Path, target: list[Any], expected: type) -> None:
    columns = {"x": np.linspace(0, 1, 60), "y": target * 30}

    model: Any = load_model(make_model(tmp_path, columns), device="cpu")

    assert model.classes_.tolist() == sorted(target)
    assert model.predict([{"x": 0.5}]).dtype == expected


def test_numbers_are_predicted_in_units_of_the_target(tmp_path: Path) -> None:
    x = np.linspace(0, 1, 200)
    train = SklearnTrain(kind="sklearn", estimator="sklearn.tree:DecisionTreeRegressor")

    model: Any = load_model(make_model(tmp_path, {"x": x, "price": 1e6 + 1e4 * x}, train))

    assert is_regressor(model)
    assert model.predict(x[:, None]) == pytest.approx(1e6 + 1e4 * x, abs=500)
    assert model.score({"x": x}, 1e6 + 1e4 * x) > 0.99
    with pytest.raises(ModelError, match="predicts numbers"):
        model.predict_proba(x[:, None])


def test_array_of_numbers_is_read_as_named_columns(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    columns = {"b": rng.normal(size=80), "a": rng.normal(size=80), "y": rng.integers(0, 2, 80)}
    model: Any = load_model(make_model(tmp_path, columns), device="cpu")
    rows = np.stack([columns["b"], columns["a"]], axis=1)

    assert model.predict_proba(rows).tolist() == model.predict_proba(columns).tolist()
    with pytest.raises(DataError, match=r"shape \(n_rows, 2\) with the columns b, a, got one of shape \(80, 1\)"):
        model.predict(rows[:, :1])
    with pytest.raises(DataError, match="'a' must hold finite numbers"):
        model.predict(np.array([[0.0, np.inf]]))


def test_estimator_without_probabilities_says_so(tmp_path: Path) -> None:
    train = SklearnTrain(kind="sklearn", estimator="sklearn.linear_model:RidgeClassifier")
    model: Any = load_model(make_model(tmp_path, customers(), train, drop=("id",)))

    assert set(model.predict(table_of(customers()))) <= {"left", "stays"}
    with pytest.raises(ModelError, match="without probabilities"):
        model.predict_proba(table_of(customers()))


def test_loading_leaves_random_numbers_as_they_are(tmp_path: Path) -> None:
    import torch

    path = make_model(tmp_path, {"x": np.linspace(0, 1, 60), "y": [0, 1] * 30})
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    load_model(path)

    assert torch.rand(1) == expected


def test_first_prediction_needs_neither_prefect_nor_duckdb(tmp_path: Path) -> None:
    path = make_model(tmp_path, {"x": np.linspace(0, 1, 60), "y": [0, 1] * 30})
    code = (
        f"import sys, pegbox; m = pegbox.load_model({str(path)!r}, device='cpu'); m.predict([{{'x': 1.0}}]); "
        "print({'prefect', 'duckdb', 'sklearn'} & set(sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"


def test_network_of_the_users_is_loaded_where_it_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_network.py").write_text(
        "from torch import nn\n\ndef net(n_features, n_classes):\n    return nn.Linear(n_features, n_classes)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    train = ModuleTrain(kind="torch", module="own_network:net", epochs=1, device="cpu")
    path = make_model(tmp_path, customers(), train, drop=("id",))

    with pytest.raises(ModelError, match=r"trusted=\['own_network:net'\]"):
        load_model(path)
    model: Any = load_model(path, trusted=["own_network:net"], device="cpu")
    assert set(model.predict(table_of(customers()))) <= {"left", "stays"}


def test_image_kind_takes_images(tmp_path: Path) -> None:
    from sklearn.datasets import load_digits

    train = TorchTrain(kind="cnn", epochs=1, device="cpu")
    prepared = prepare(DataSpec(source="sklearn:digits"), None, tmp_path / "data")
    segment = segment_for(train, {"channels": 4}, 1)
    trained = trainer_for(train).train(segment, open_prepared(prepared, 0), tmp_path, lambda *_: None)
    assert trained.checkpoint is not None
    lineage = Lineage(study="s", trial=0, seed=1, epochs=1, code="c")
    request = ModelRequest(tmp_path / "m.pegbox", segment, trained.checkpoint, prepared, "best", "r", CARD, lineage)
    write_model(request)
    model: Any = load_model(request.path, device="cpu")
    images = load_digits().images[:3]

    assert model.predict(images[:, None]).tolist() == model.predict(images.reshape(3, 64)).tolist()
