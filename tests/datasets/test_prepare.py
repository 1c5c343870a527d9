from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pegbox.datasets import prepare as module
from pegbox.datasets.prepare import fingerprint, prepare
from pegbox.datasets.prepared import open_prepared, read_understanding
from pegbox.schemas.data import DataSpec, PreparedData, SplitSpec
from pegbox.schemas.errors import DataError, StoreUnwritableError
from pegbox.schemas.plan import Rows

Make = Callable[..., PreparedData]
Write = Callable[..., str]

N = 200


@pytest.fixture
def columns(rng: np.random.Generator) -> dict[str, Any]:
    """Two numbers, one with gaps, a constant, a category and a target of two classes."""
    return {
        "size": rng.normal(50, 9, N),
        "age": np.where(rng.random(N) < 0.2, np.nan, rng.uniform(20, 80, N)),
        "same": np.full(N, 0.1),
        "colour": rng.choice(["red", "green", "blue"], N).tolist(),
        "bought": rng.integers(0, 2, N),
    }


def test_description_tells_the_arrays(prepared: Make, columns: dict[str, Any], root: Path) -> None:
    data = prepared(columns)

    assert data.path == root / data.fingerprint
    assert (data.task, data.n_folds, data.classes) == ("classification", 1, ("0", "1"))
    assert data.n_rows == {"train": 120, "valid": 40, "test": 40}
    assert data.numeric == ("size", "age", "same", "age is missing")
    assert (data.categorical, data.cardinalities) == (("colour",), (4,))


def test_arrays_have_the_types_and_shapes_described(prepared: Make, columns: dict[str, Any]) -> None:
    splits = open_prepared(prepared(columns), 0)

    assert splits.test is not None
    for part, n in ((splits.train, 120), (splits.valid, 40), (splits.test, 40)):
        assert (part.numeric.shape, part.numeric.dtype) == ((n, 4), np.float32)
        assert (part.categorical.shape, part.categorical.dtype) == ((n, 1), np.int64)
        assert (part.target.shape, part.target.dtype) == ((n,), np.int64)


def test_numbers_are_scaled_by_the_training_rows_only(prepared: Make, columns: dict[str, Any]) -> None:
    columns["size"][:] = np.arange(N)

    splits = open_prepared(prepared(columns, split=SplitSpec(time="size"), features=("size",)), 0)

    assert splits.train.numeric.mean() == pytest.approx(0, abs=1e-6)
    assert splits.train.numeric.std() == pytest.approx(1, abs=1e-6)
    # Rows 120 to 159, in units of the deviation of rows 0 to 119.
    assert splits.valid.numeric[0, 0] == pytest.approx((120 - 59.5) / np.arange(120).std())


def test_gap_becomes_the_training_median_and_is_marked(prepared: Make) -> None:
    day = np.arange(10)
    age = np.array([1.0, 2.0, 9.0, np.nan, 2.0, 4.0, 100.0, np.nan, 100.0, 100.0])

    data = prepared({"day": day, "age": age, "y": day % 2}, split=SplitSpec(time="day"))
    splits = open_prepared(data, 0)

    filled = np.array([1, 2, 9, 2, 2, 4])
    np.testing.assert_allclose(splits.train.numeric[:, 0], (filled - filled.mean()) / filled.std(), rtol=1e-5)
    np.testing.assert_allclose(splits.valid.numeric[1, 0], (2 - filled.mean()) / filled.std(), rtol=1e-5)
    assert data.numeric == ("age", "age is missing")
    assert (splits.train.numeric[:, 1] > 0).tolist() == [False, False, False, True, False, False]
    assert (splits.valid.numeric[:, 1] > 0).tolist() == [False, True]


def test_column_without_gaps_gets_no_indicator(prepared: Make) -> None:
    assert prepared({"a": range(10), "y": [0, 1] * 5}).numeric == ("a",)


def test_column_constant_in_training_is_written_as_zeros(prepared: Make) -> None:
    same = [0.1] * 6 + [7.0] * 4

    splits = open_prepared(prepared({"day": range(10), "same": same, "y": [0, 1] * 5}, split=SplitSpec(time="day")), 0)

    assert not splits.train.numeric.any()
    assert not splits.valid.numeric.any()


def test_column_missing_in_all_training_rows_is_written_as_zeros(prepared: Make) -> None:
    late = [np.nan] * 6 + [7.0, 8.0, 9.0, np.nan]

    splits = open_prepared(prepared({"day": range(10), "late": late, "y": [0, 1] * 5}, split=SplitSpec(time="day")), 0)

    assert not splits.valid.numeric.any()


def test_category_that_training_never_saw_has_code_zero(prepared: Make) -> None:
    word = ["a", "b", "a", None, "b", "a", "c", "a", "c", "b"]

    data = prepared({"day": range(10), "word": word, "y": [0, 1] * 5}, split=SplitSpec(time="day"))
    splits = open_prepared(data, 0)

    assert data.cardinalities == (4,)
    assert splits.train.categorical[:, 0].tolist() == [1, 2, 1, 0, 2, 1]
    assert splits.valid.categorical[:, 0].tolist() == [0, 1]


def test_regression_target_keeps_its_own_units(prepared: Make) -> None:
    y = np.arange(10) * 1000.5

    data = prepared({"day": range(10), "a": range(10), "y": y}, split=SplitSpec(time="day"))

    assert data.task == "regression"
    assert open_prepared(data, 0).valid.target.tolist() == [6003.0, 7003.5]
    assert (data.target_mean, data.target_std) == (pytest.approx(y[:6].mean()), pytest.approx(y[:6].std()))


def test_every_fold_is_scaled_by_its_own_training_rows(prepared: Make, columns: dict[str, Any]) -> None:
    data = prepared(columns, split=SplitSpec(folds=3, test=0.1))

    assert data.n_folds == 3
    for fold in range(3):
        np.testing.assert_allclose(open_prepared(data, fold).train.numeric.mean(axis=0), 0, atol=1e-6)


def test_dropped_rows_are_counted(prepared: Make) -> None:
    data = prepared({"a": range(12), "y": [0, 1] * 5 + [None] * 2})

    assert (data.n_dropped, sum(data.n_rows.values())) == (2, 10)


def test_second_call_finds_what_the_first_wrote(prepared: Make, columns: dict[str, Any], root: Path) -> None:
    first = prepared(columns)
    written = {path: path.stat().st_mtime_ns for path in root.rglob("*")}

    assert prepared(columns) == first
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == written


def test_moved_store_still_holds_the_data(prepared: Make, columns: dict[str, Any], root: Path, tmp_path: Path) -> None:
    data = prepared(columns)
    moved = root.rename(tmp_path / "elsewhere")

    found = prepare(DataSpec(source="data.parquet", target="bought"), None, moved)

    assert found.path == moved / data.fingerprint
    assert len(open_prepared(found, 0).train) == 120


def test_equal_data_gives_equal_bytes(columns: dict[str, Any], parquet: Write, tmp_path: Path) -> None:
    spec = DataSpec(source=parquet(columns), target="bought")

    first, second = (prepare(spec, None, tmp_path / name) for name in ("one", "two"))

    names = sorted(path.relative_to(first.path) for path in first.path.rglob("*.npy"))
    assert len(names) == 9
    assert all((first.path / name).read_bytes() == (second.path / name).read_bytes() for name in names)


def test_fingerprint_names_the_directory_before_it_exists(columns: dict[str, Any], parquet: Write, root: Path) -> None:
    spec = DataSpec(source=parquet(columns), target="bought")

    expected = fingerprint(spec, None)

    assert not root.exists()
    assert prepare(spec, None, root).path.name == expected


def test_fingerprint_follows_the_content_not_the_place(csv: Write) -> None:
    text = "a,y\n" + "1,0\n2,1\n" * 5

    here = fingerprint(DataSpec(source=csv(text), target="y"), None)

    assert fingerprint(DataSpec(source=csv(text, "copy.csv"), target="y"), None) == here
    assert fingerprint(DataSpec(source=csv(text + "3,1\n"), target="y"), None) != here


@pytest.mark.parametrize(
    "change",
    [
        {"features": ("size",)},
        {"drop": ("age",)},
        {"categorical": ("same",)},
        {"target": "same"},
        {"split": SplitSpec(seed=1)},
        {"split": SplitSpec(stratify=True)},
        {"split": SplitSpec(folds=3)},
        {"split": SplitSpec(valid=0.1)},
    ],
)
def test_fingerprint_follows_whatever_shapes_the_arrays(
    columns: dict[str, Any], parquet: Write, change: dict[str, Any]
) -> None:
    spec = DataSpec(source=parquet(columns), target="bought")

    assert fingerprint(spec.model_copy(update=change), None) != fingerprint(spec, None)


def test_fingerprint_follows_the_task(columns: dict[str, Any], parquet: Write) -> None:
    spec = DataSpec(source=parquet(columns), target="bought")

    assert fingerprint(spec, "classification") != fingerprint(spec, "regression")


def test_fingerprint_follows_the_version_of_the_preparation(
    columns: dict[str, Any], parquet: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = DataSpec(source=parquet(columns), target="bought")
    before = fingerprint(spec, None)

    monkeypatch.setattr(module, "VERSION", module.VERSION + 1)

    assert fingerprint(spec, None) != before


def test_query_is_named_by_its_result(csv: Write, root: Path) -> None:
    csv("a,y\n" + "1,0\n2,1\n" * 5)
    spec = DataSpec(source="SELECT a, sum(y) AS y, count(*) AS n FROM 'data.csv' GROUP BY ALL", target="y")
    wide = DataSpec(source="SELECT a, y FROM 'data.csv'", target="y")
    same = DataSpec(source="SELECT a::TINYINT AS a, y FROM 'data.csv' WHERE a > 0", target="y")

    assert fingerprint(wide, None) == fingerprint(same, None) != fingerprint(spec, None)
    assert prepare(wide, None, root).fingerprint == fingerprint(wide, None)


def test_large_grouped_query_has_one_fingerprint(here: Path, rng: np.random.Generator) -> None:
    table = pa.table({"k": rng.integers(0, 5000, 300_000), "x": rng.normal(size=300_000)})
    # In many row groups, which several threads would share out as they come.
    pq.write_table(table, "data.parquet", row_group_size=10_000)
    spec = DataSpec(source="SELECT k, avg(x) AS y, max(x) AS top FROM 'data.parquet' GROUP BY k", target="y")

    assert len({fingerprint(spec, None) for _ in range(5)}) == 1


def test_function_is_named_by_what_it_returns(here: Path, root: Path) -> None:
    Path("counted_rows.py").write_text(
        "n = 10\ndef load():\n    return {'a': range(n), 'y': [i % 2 for i in range(n)]}\n"
    )
    spec = DataSpec(source="counted_rows:load", target="y")
    first = prepare(spec, None, root)

    import counted_rows  # type: ignore[import-not-found]

    counted_rows.n = 12

    assert fingerprint(spec, None) != first.fingerprint
    assert sum(prepare(spec, None, root).n_rows.values()) == 12


def test_file_that_changes_while_it_is_read_is_refused(csv: Write, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pegbox.datasets.table_files import FileSource

    spec = DataSpec(source=csv("a,y\n" + "1,0\n2,1\n" * 5), target="y")
    load = FileSource.load
    monkeypatch.setattr(FileSource, "load", lambda self: (load(self), csv("a,y\n1,0\n"))[0])

    with pytest.raises(DataError, match=r"'data\.csv' changed while it was read"):
        prepare(spec, None, root)
    assert not root.exists()


def test_interrupted_writing_leaves_nothing(
    prepared: Make, columns: dict[str, Any], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_publish", interrupt)

    with pytest.raises(KeyboardInterrupt):
        prepared(columns)
    assert list(root.iterdir()) == []


def test_other_process_that_was_first_is_no_error(
    prepared: Make, columns: dict[str, Any], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = prepared(columns)
    monkeypatch.setattr(module, "find_prepared", lambda *_: None)

    assert prepared(columns) == first
    assert [path.name for path in root.iterdir()] == [first.fingerprint]


def test_store_that_cannot_be_written_says_so(prepared: Make, columns: dict[str, Any], root: Path) -> None:
    root.parent.mkdir(parents=True)
    root.write_text("a file is in the way")

    with pytest.raises(StoreUnwritableError, match=f"cannot be written below '{root}'"):
        prepared(columns)


def test_damaged_description_says_what_to_delete(prepared: Make, columns: dict[str, Any]) -> None:
    (prepared(columns).path / "prepared.json").write_text("{}")

    with pytest.raises(DataError, match=r"prepared\.json' is damaged.*Delete this directory"):
        prepared(columns)


def test_data_that_is_refused_writes_nothing(prepared: Make, root: Path) -> None:
    with pytest.raises(DataError, match="expected at least 3 rows"):
        prepared({"a": [1, 2], "y": [0, 1]})
    assert not root.exists()


def test_written_files_are_readable_by_others(prepared: Make, columns: dict[str, Any]) -> None:
    data = prepared(columns)

    assert data.path.stat().st_mode & 0o077 == (data.path / "fold-0").stat().st_mode & 0o077


def test_model_of_all_rows_learns_from_the_held_out_ones_too(parquet: Write, tmp_path: Path) -> None:
    spec = DataSpec(source=parquet({"a": np.arange(50.0), "y": ["left"] * 48 + ["right"] * 2}), target="y")
    parts, refit, every = (prepare(spec, None, tmp_path / "data", learn_from=one) for one in get_args(Rows))

    assert [one.n_rows["train"] for one in (parts, refit, every)] == [30, 40, 50]
    assert (refit.has_test, every.has_test) == (True, False)
    assert len({one.fingerprint for one in (parts, refit, every)}) == 3
    # Their validation rows are rows that they learn from: none of them counts twice.
    told = [read_understanding(one.path) for one in (parts, refit, every)]
    assert told[0] is not None
    assert told[0].warnings
    assert told[1] == told[2] == told[0]
