"""Rows of today as a model of yesterday takes them."""

from pathlib import Path

import numpy as np
import pytest

from pegbox.datasets.prepare import find_prepared, prepare
from pegbox.datasets.prepared import open_prepared
from pegbox.datasets.preprocessing import read_preprocessing
from pegbox.datasets.raw_inputs import raw_inputs
from pegbox.datasets.seen_as import seen_as
from pegbox.schemas.data import DataSpec

RNG = np.random.default_rng(0)


def _prepared(folder: Path, name: str, rows: list[str], head: str = "a,b,word,y") -> str:
    path = folder / f"{name}.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    spec = DataSpec.model_validate({"source": str(path), "target": "y", "split": {"test": 0.0, "valid": 0.5}})
    return prepare(spec, None, folder / "data").fingerprint


def _rows(shift: float, words: tuple[str, ...], classes: tuple[str, str] = ("no", "yes")) -> list[str]:
    return [f"{shift + number},{5},{words[number % len(words)]},{classes[number % 2]}" for number in range(20)]


def test_inputs_come_back_in_their_own_units(tmp_path: Path) -> None:
    name = _prepared(tmp_path, "old", [*_rows(100.0, ("red", "blue")), ",5,,no", ",5,,yes"])

    inputs = raw_inputs(tmp_path / "data", name, "train")

    assert inputs is not None
    known = inputs.numbers["a"][inputs.numbers["a is missing"] == 0] if "a is missing" in inputs.numbers else []
    assert set(np.round(known, 3)) <= set(np.arange(100.0, 120.0))
    assert set(inputs.numbers["b"]) == {5.0}
    assert set(inputs.categories["word"]) <= {"red", "blue", "(missing)"}


def test_new_rows_are_scaled_and_coded_as_the_old_ones(tmp_path: Path) -> None:
    before = _prepared(tmp_path, "old", _rows(100.0, ("red", "blue")))
    now = _prepared(tmp_path, "new", _rows(500.0, ("blue", "green")))

    splits = seen_as(tmp_path / "data", before, now)

    assert splits is not None
    inputs, old = raw_inputs(tmp_path / "data", now, "valid"), raw_inputs(tmp_path / "data", before, "train")
    assert inputs is not None
    assert old is not None
    expected = (inputs.numbers["a"] - old.numbers["a"].mean()) / old.numbers["a"].std()
    np.testing.assert_allclose(splits.valid.numeric[:, 0], expected, rtol=1e-4)
    codes = dict(zip(inputs.categories["word"].tolist(), splits.valid.categorical[:, 0].tolist(), strict=True))
    assert codes["green"] == 0
    assert codes["blue"] > 0
    assert len(splits.valid) == 10


def test_rows_that_a_model_cannot_take_are_none(tmp_path: Path) -> None:
    data = tmp_path / "data"
    before = _prepared(tmp_path, "old", _rows(0.0, ("red", "blue")))
    narrow = _prepared(tmp_path, "narrow", [row.split(",", 1)[1] for row in _rows(0.0, ("red", "blue"))], "b,word,y")
    strange = _prepared(tmp_path, "strange", _rows(0.0, ("red", "blue"), ("no", "perhaps")))

    assert seen_as(data, before, narrow) is None
    assert seen_as(data, before, strange) is None
    assert seen_as(data, "gone", before) is None


def _arrays(folder: Path, name: str, level: float, shape: tuple[int, ...] = (5, 2), flat: bool = False) -> str:
    values = np.random.default_rng(3).normal(level, 1 + abs(level) / 10, (40, *shape))
    if flat:
        values[..., 1] = 7.0
    np.savez(folder / f"{name}.npz", x=values, y=np.array(["no", "yes"] * 20))
    spec = {"source": str(folder / f"{name}.npz"), "target": "y", "split": {"test": 0.0, "valid": 0.5}}
    return prepare(DataSpec.model_validate(spec), None, folder / "data").fingerprint


@pytest.mark.parametrize("is_flat", [False, True])
def test_arrays_of_today_are_scaled_as_those_of_yesterday(tmp_path: Path, is_flat: bool) -> None:
    data = tmp_path / "data"
    before, now = _arrays(tmp_path, "old", 10.0), _arrays(tmp_path, "new", -4.0, flat=is_flat)

    splits = seen_as(data, before, now)

    assert splits is not None
    old, fresh = find_prepared(data, before), find_prepared(data, now)
    assert old is not None
    assert fresh is not None
    made, theirs = read_preprocessing(old, 0), read_preprocessing(fresh, 0)
    scaled = open_prepared(fresh, 0).valid.numeric.reshape(20, 5, 2)
    raw = scaled * [1.0 if one is None else one for one in theirs.deviations] + np.array(theirs.means)
    expected = (raw - np.array(made.means)) / np.array(made.deviations, dtype=float)
    np.testing.assert_allclose(splits.valid.numeric, expected.reshape(20, 10), rtol=1e-4, atol=1e-4)
    assert splits.train.numeric.shape == (20, 10)


def test_arrays_of_another_shape_are_none(tmp_path: Path) -> None:
    before, now = _arrays(tmp_path, "old", 0.0), _arrays(tmp_path, "new", 0.0, (6, 2))
    assert seen_as(tmp_path / "data", before, now) is None
