"""Numpy's files: sequences, images and tables, and files that are none."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pegbox.datasets.prepare import prepare
from pegbox.datasets.prepared import open_prepared
from pegbox.datasets.preprocessing import read_preprocessing
from pegbox.schemas.data import DataSpec, PreparedData
from pegbox.schemas.errors import DataError


def prepared_of(root: Path, **data: Any) -> PreparedData:
    return prepare(DataSpec(**{"source": "data.npz", "target": "y", **data}), None, root)


@pytest.fixture
def windows(here: Path, rng: np.random.Generator) -> dict[str, Any]:
    """Thirty sequences of five steps of two features on scales of their own."""
    x = rng.normal(size=(30, 5, 2)) * [1, 1000] + [0, 5000]
    return {"x": x, "y": np.repeat(["up", "down"], 15), "person": np.arange(30) % 6}


def test_sequences_are_scaled_by_feature(windows: dict[str, Any], root: Path) -> None:
    np.savez("data.npz", **windows)

    data = prepared_of(root, features=["x"], split={"group": "person", "stratify": True})

    train = open_prepared(data, 0).train.numeric.reshape(-1, 5, 2)
    assert (data.shape, data.classes, data.n_numeric) == ((5, 2), ("down", "up"), 10)
    assert train.std(axis=(0, 1)) == pytest.approx([1, 1], abs=1e-5)
    assert len(read_preprocessing(data, 0).means) == 2


def test_targets_may_stand_in_a_file_beside(windows: dict[str, Any], root: Path) -> None:
    Path("part").mkdir()
    np.save("part/x.npy", windows["x"])
    np.save("part/y.npy", np.linspace(0, 1, 30)[:, None])

    data = prepared_of(root, source="part/x.npy", target="y.npy")

    assert (data.task, data.shape) == ("regression", (5, 2))


def test_two_dimensions_are_a_table(root: Path, here: Path, rng: np.random.Generator) -> None:
    np.savez("data.npz", x=rng.normal(size=(30, 3)), y=np.arange(30) % 2)

    data = prepared_of(root)

    assert (data.numeric, data.shape) == (("x0", "x1", "x2"), None)


def test_images_of_bytes_have_one_scale(root: Path, here: Path, rng: np.random.Generator) -> None:
    np.savez("data.npz", x=rng.integers(0, 255, (30, 4, 4), dtype=np.uint8), y=np.arange(30) % 2)

    assert len(read_preprocessing(prepared_of(root), 0).means) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"y": np.zeros(29)}, "must have one row for each example"),
        ({"x": np.full((30, 5, 2), np.nan)}, "must hold finite numbers"),
        ({"x": np.ones((30, 5, 2), complex)}, "holds complex128, expected numbers."),
        ({"x": np.full((30, 5, 2), "a")}, "holds <U1, expected numbers."),
        ({"y": np.array([{}] * 30, dtype=object)}, "holds Python objects"),
        ({"y": np.zeros((30, 2))}, "'y' has shape (30, 2), expected one value"),
        ({"more": np.zeros((30, 2, 2))}, "a model is made of one such column alone"),
        ({"rate": np.array(3.0)}, "must have one row for each example"),
    ],
)
def test_arrays_that_do_not_fit_are_told_by_name(
    windows: dict[str, Any], root: Path, change: dict[str, Any], said: str
) -> None:
    np.savez("data.npz", **{**windows, **change})

    with pytest.raises(DataError) as caught:
        prepared_of(root)

    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"source": "x.npy"}, "Name it, such as `target: y.npy`"),
        ({"source": "x.npy", "target": "z.npy"}, "there is no file 'z.npy'. Did you mean"),
        ({"source": "text.npz"}, "is no file that numpy.save or numpy.savez wrote"),
        ({"source": "cut.npz"}, "cannot be read"),
        ({"target": "z"}, "there is no column 'z'"),
    ],
)
def test_files_that_are_none_are_told(windows: dict[str, Any], root: Path, entry: dict[str, Any], said: str) -> None:
    np.savez("data.npz", **windows)
    np.save("x.npy", windows["x"])
    np.save("y.npy", windows["person"])
    Path("text.npz").write_text("hello")
    Path("cut.npz").write_bytes(Path("data.npz").read_bytes()[:2000])

    with pytest.raises(DataError) as caught:
        prepared_of(root, **entry)

    assert said in str(caught.value)
