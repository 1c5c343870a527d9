"""An exported file answers as its model does, holds the preprocessing, and says what it takes; else none is left."""

import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
import torch
from small_model import TREE, customers, make_model, table_of

from pegbox.models.export_model import Asked, export_model, rows_of_source
from pegbox.models.load_model import load_model
from pegbox.schemas.errors import DataError, ModelError
from pegbox.schemas.exported_model import ExportFormat
from pegbox.schemas.train import SklearnTrain, TorchTrain
from pegbox.training.exporting.exporter import SUFFIXES, RawRows

ASK_ONNX = """
import sys
sys.modules["pegbox"] = None
import numpy as np, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
given = {"numbers": np.array([[30.0, 1.0, 19800.5], [np.nan, 0.0, 19900.0]])}
if len(session.get_inputs()) > 1:
    given["categories"] = np.array([["Rome"], ["Atlantis"]], dtype=object)
print([one.tolist() for one in session.run(None, given)])
"""
TWO_ROWS = {"age": [30.0, None], "member": ["yes", "no"], "since": ["2024-03-18 12:00", "2024-06-26"]}
TWO_CITIES = {"city": ["Rome", "Atlantis"]}


def rows_of(model_file: Path, model: Any) -> Asked:
    return rows_of_source(model, str(model_file.parent / "rows.parquet"))


def exported(model_file: Path, wanted: ExportFormat, path: Path) -> Any:
    model = load_model(model_file, device="cpu")
    return export_model(model, wanted, path / f"churn{SUFFIXES[wanted]}", rows_of(model_file, model))


@pytest.fixture(scope="module")
def torch_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("network"), customers(), drop=("id",))


@pytest.fixture(scope="module")
def tree_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("tree"), customers(), TREE, drop=("id",))


def test_program_of_torch_takes_raw_rows(torch_file: Path, tmp_path: Path) -> None:
    found = exported(torch_file, "torch", tmp_path)

    with (tmp_path / "churn.pt2").open("rb") as file:
        ask = torch.export.load(file).module()
    # Bonn, Oslo, Rome: what stands beside the file names the codes.
    said = ask(
        numbers=torch.tensor([[30.0, 1.0, 19800.5], [np.nan, 0.0, 19900.0]], dtype=torch.float64),
        codes=torch.tensor([[3], [0]]),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Atlantis was never seen
        expected = load_model(torch_file, device="cpu").predict_proba(TWO_ROWS | TWO_CITIES)

    assert said.detach().numpy() == pytest.approx(expected, abs=1e-6)
    assert found.check.n_rows == 120
    assert found.check.n_other_answers == 0
    assert found.levels == {"city": ("Bonn", "Oslo", "Rome")}


def test_pipeline_of_scikit_learn_takes_a_frame(tree_file: Path, tmp_path: Path) -> None:
    found = exported(tree_file, "sklearn", tmp_path)

    path = tmp_path / "churn.skops"
    pipeline = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
    rows = pd.DataFrame(
        {"city": ["Rome", None], "since": [19800.5, 19900.0], "member": [1.0, 0.0], "age": [30.0, np.nan]}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = load_model(tree_file).predict_proba(TWO_ROWS | TWO_CITIES)

    assert pipeline.predict_proba(rows) == pytest.approx(expected)
    assert found.classes == ("left", "stays")
    assert not any("pegbox" in name for name in skops.io.get_untrusted_types(file=path))
    beside = json.loads((tmp_path / "churn.skops.json").read_text())
    assert beside["columns"]["since"].startswith("days since 1970")
    assert beside["columns"]["member"].startswith("1 for yes")
    assert beside["inputs"][0]["columns"] == ["age", "member", "since", "city"]
    assert "skops.io.load" in beside["usage"]


@pytest.mark.parametrize(("form", "wanted"), [("torch_file", "sklearn"), ("tree_file", "torch")])
def test_format_that_cannot_be_is_refused(
    form: str, wanted: ExportFormat, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(ModelError, match=rf"cannot be written as '{wanted}'.*Known: onnx"):
        exported(request.getfixturevalue(form), wanted, tmp_path)
    assert not list(tmp_path.iterdir())


def test_file_that_answers_differently_is_not_kept(
    torch_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model: Any = load_model(torch_file, device="cpu")
    asked = rows_of(torch_file, model)
    weights = model.predictor.network

    monkeypatch.setattr(model.predictor, "predict_proba", lambda *arrays: np.full((120, 2), 0.5))

    with pytest.raises(ModelError, match=r"of 120 rows of .* differently"):
        export_model(model, "torch", tmp_path / "churn.pt2", asked)
    assert not list(tmp_path.iterdir())
    assert model.predictor.network is weights


def test_wrong_ending_is_told(torch_file: Path, tmp_path: Path) -> None:
    model = load_model(torch_file, device="cpu")

    with pytest.raises(ModelError, match=r"ends in \.pt2, got"):
        export_model(model, "torch", tmp_path / "churn.bin", rows_of(torch_file, model))


def test_no_rows_to_check_on_are_told(torch_file: Path, tmp_path: Path) -> None:
    model: Any = load_model(torch_file, device="cpu")
    (tmp_path / "none.csv").write_text("age,city,member,since\n")

    with pytest.raises(DataError, match="there are none"):
        rows_of_source(model, str(tmp_path / "none.csv"))


def test_texts_of_codes_are_those_of_the_source(torch_file: Path) -> None:
    how = load_model(torch_file, device="cpu").manifest.preprocessing
    assert how is not None

    words = RawRows(np.empty((3, 3)), np.array([[0], [1], [3]])).words(how)

    assert words.tolist() == [[""], ["Bonn"], ["Rome"]]


@pytest.mark.long
@pytest.mark.parametrize(
    "train",
    [
        TorchTrain(kind="mlp", epochs=2, device="cpu"),
        TorchTrain(kind="resnet", epochs=1, device="cpu"),
        SklearnTrain(kind="sklearn", estimator="sklearn.ensemble:HistGradientBoostingClassifier"),
        SklearnTrain(kind="sklearn", estimator="sklearn.linear_model:RidgeClassifier"),
    ],
    ids=["mlp", "resnet", "boosted", "ridge"],
)
def test_onnx_answers_without_pegbox(train: Any, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("skl2onnx")
    model_file = make_model(tmp_path, customers(), train, drop=("id",))
    exported(model_file, "onnx", tmp_path)

    answer = subprocess.run(
        [sys.executable, "-c", ASK_ONNX, "churn.onnx"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = load_model(model_file, device="cpu").predict(TWO_ROWS | TWO_CITIES).tolist()

    assert json.loads(answer.stdout.replace("'", '"'))[0] == expected


@pytest.mark.long
def test_onnx_of_numbers_keeps_a_large_offset(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    rng = np.random.default_rng(0)
    columns = {"x": rng.normal(size=200) + 1e7, "y": rng.normal(size=200) + 2e7}
    model_file = make_model(tmp_path, columns)

    found = exported(model_file, "onnx", tmp_path)

    assert found.check.largest_difference < 1e-3
    assert table_of(columns).num_rows == found.check.n_rows


def test_free_text_is_answered_and_not_exported(tmp_path: Path) -> None:
    words = ["lovely quiet room", "dirty loud room"]
    columns = {"note": [f"{words[i % 2]} {i}" for i in range(120)], "kind": [str(i % 2) for i in range(120)]}
    file = make_model(tmp_path, columns, TREE, text={"columns": ["note"], "width": 8})
    model = load_model(file)

    assert model.predict({"note": ["a lovely, quiet place", "dirty and loud", None]}).tolist()[:2] == [0, 1]
    with pytest.raises(DataError, match="held free text in training, got numbers"):
        model.predict({"note": [1.0]})
    with pytest.raises(ModelError, match="'note' is free text, which no other format is written of"):
        export_model(model, "sklearn", tmp_path / "m.skops", rows_of(file, model))
