"""Models of pictures and of sequences: further ones in every form, exports, and what does not fit."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from small_model import make_model_of

from pegbox.models.export_model import export_model, rows_of_source
from pegbox.models.load_model import load_model
from pegbox.models.predict_rows import Rows, predict_to_file
from pegbox.schemas.data import DataSpec
from pegbox.schemas.errors import DataError
from pegbox.schemas.train import SklearnTrain, TorchTrain

Image = pytest.importorskip("PIL.Image")

CNN = TorchTrain(kind="cnn", epochs=3, device="cpu")


def picture(is_bright: bool, place: int) -> np.ndarray[Any, Any]:
    """A grey picture of a size of its own, bright above or below."""
    pixels = np.random.default_rng(place).integers(0, 60, (8 + place % 5, 9)).astype(np.uint8)
    half = len(pixels) // 2
    pixels[:half] += 190 * is_bright
    pixels[half:] += 190 * (not is_bright)
    return pixels


def draw(folder: Path, first: int, count: int) -> Path:
    for i in range(first, first + count):
        path = folder / ("up" if i % 2 else "down") / f"{i:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(bool(i % 2), i)).save(path)
    return folder


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A model of 60 pictures, and a folder of 10 further ones."""
    root = tmp_path_factory.mktemp("pictures")
    spec = DataSpec(source=str(draw(root / "images", 0, 60)), images={"size": [6, 5]})
    return make_model_of(root, spec, CNN, lr=0.01, channels=8, batch_size=8), draw(root / "fresh", 60, 10)


def test_folder_is_answered_with_its_paths(pictures: tuple[Path, Path], tmp_path: Path) -> None:
    file, fresh = pictures
    model = load_model(file, device="cpu")

    done = predict_to_file(model, Rows(str(fresh), keep=("class",)), tmp_path / "p.parquet", lambda _: None)

    said = pq.read_table(tmp_path / "p.parquet").to_pydict()
    assert (done.n_rows, done.remarks) == (10, ())
    assert said["image"] == sorted(map(str, fresh.rglob("*.png")))
    assert said["prediction"] == said["class"]
    assert model.card.title


def test_forms_of_pictures_are_answered_alike(pictures: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    file, fresh = pictures
    model = load_model(file, device="cpu")
    paths = sorted(fresh.rglob("*.png"))
    expected = model.predict_proba(fresh)

    assert np.array_equal(model.predict_proba([str(path) for path in paths]), expected)
    assert np.array_equal(model.predict_proba([Image.open(path) for path in paths]), expected)
    assert np.array_equal(model.predict_proba([{"image": str(path)} for path in paths]), expected)
    assert np.array_equal(model.predict_proba({"image": [path.read_bytes() for path in paths]}), expected)
    assert model.predict_proba(np.asarray(Image.open(paths[0]))[None]) == pytest.approx(expected[:1], abs=1e-6)
    assert model.predict(paths[0]).tolist() == model.predict(paths[:1]).tolist()
    assert model.predict(np.zeros((3, 6, 5), np.uint8)).shape == (3,)


def test_table_of_paths_begins_where_it_lies(pictures: tuple[Path, Path], tmp_path: Path) -> None:
    file, fresh = pictures
    names = [path.relative_to(fresh).as_posix() for path in sorted(fresh.rglob("*.png"))]
    (fresh / "rows.csv").write_text("image\n" + "\n".join(names))

    done = predict_to_file(load_model(file, device="cpu"), Rows(str(fresh / "rows.csv")), tmp_path / "p.csv", print)

    assert done.n_rows == 10


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["none.png"], "'none.png' (there is no such file)"),
        ([{"path": "a.png"}], "the column 'image' is missing"),
        (np.zeros((2, 7)), "expected paths of pictures, or arrays of bytes of shape (n, 6, 5)"),
        (np.full((2, 6, 5), np.nan), "must hold finite numbers"),
        ({"image": [1.0, 2.0]}, "must hold paths of pictures"),
    ],
)
def test_pictures_that_do_not_fit_are_told(pictures: tuple[Path, Path], rows: Any, said: str) -> None:
    with pytest.raises(DataError) as caught:
        load_model(pictures[0], device="cpu").predict(rows)

    assert said in str(caught.value)


def test_program_of_pictures_takes_their_shape(pictures: tuple[Path, Path], tmp_path: Path) -> None:
    file, fresh = pictures
    model = load_model(file, device="cpu")

    exported = export_model(model, "torch", tmp_path / "m.pt2", rows_of_source(model, str(fresh)))

    assert exported.check.largest_difference < 1e-5
    assert (exported.inputs[0].type, exported.inputs[0].shape) == ("float32", (6, 5))
    assert exported.columns == {"image": "arrays of 6 × 5: a grey picture stretched to this height and width, 0 to 255"}


@pytest.mark.long
def test_onnx_of_pictures_answers_without_pegbox(pictures: tuple[Path, Path], tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    file, fresh = pictures
    model = load_model(file, device="cpu")

    export_model(model, "onnx", tmp_path / "m.onnx", rows_of_source(model, str(fresh)))

    session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"))
    images = [Image.open(path).convert("L").resize((5, 6), Image.Resampling.BILINEAR) for path in fresh.rglob("*.png")]
    (labels, _) = session.run(None, {"numbers": np.stack([np.asarray(one, np.float32) for one in images])})
    assert labels.tolist() == [path.parent.name for path in fresh.rglob("*.png")]


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty sequences of six steps of two features, whose class is the sign of the first."""
    root = tmp_path_factory.mktemp("windows")
    sign = np.where(np.arange(60) % 2, 1, -1)
    x = np.random.default_rng(0).normal(size=(60, 6, 2)) + np.stack([2 * sign, 0 * sign], axis=1)[:, None] + [0, 1e6]
    np.savez(root / "windows.npz", x=x, sign=sign)
    return root


def test_sequences_of_a_file_are_learned_and_answered(windows: Path, tmp_path: Path) -> None:
    train = TorchTrain(kind="transformer", epochs=3, device="cpu")
    spec = DataSpec(source=str(windows / "windows.npz"), target="sign")
    model = load_model(make_model_of(windows, spec, train, lr=0.01, layers=1), device="cpu")
    arrays = np.load(windows / "windows.npz")

    assert (model.predict(arrays["x"]) == arrays["sign"]).mean() > 0.9
    assert predict_to_file(model, Rows(spec.source), tmp_path / "p.parquet", print).n_rows == 60
    np.save(tmp_path / "new.npy", arrays["x"][:3])
    assert predict_to_file(model, Rows(str(tmp_path / "new.npy")), tmp_path / "q.parquet", print).n_rows == 3
    exported = export_model(model, "torch", tmp_path / "m.pt2", rows_of_source(model, spec.source))
    assert (exported.inputs[0].type, exported.inputs[0].shape) == ("float64", (6, 2))
    with pytest.raises(DataError, match=r"expected arrays of shape \(n, 6, 2\), got an array of shape \(60, 4\)"):
        model.predict(np.zeros((60, 4)))


@pytest.mark.long
def test_estimator_of_arrays_is_a_pipeline_of_scikit_learn(windows: Path, tmp_path: Path) -> None:
    train = SklearnTrain(kind="sklearn", estimator="sklearn.tree:DecisionTreeClassifier")
    spec = DataSpec(source=str(windows / "windows.npz"), target="sign")
    model = load_model(make_model_of(windows, spec, train))

    exported = export_model(model, "sklearn", tmp_path / "m.skops", rows_of_source(model, spec.source))

    assert exported.check.n_other_answers == 0
    assert exported.inputs[0].shape == (6, 2)
