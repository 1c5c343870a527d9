from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pegbox.datasets.frame import Frame, build_frame
from pegbox.datasets.source import Loaded
from pegbox.schemas.data import DataSpec, SplitSpec
from pegbox.schemas.errors import DataError

Build = Callable[..., Frame]


def build(columns: dict[str, Any], **data: Any) -> Frame:
    table = pa.table({name: pa.array(values, from_pandas=True) for name, values in columns.items()})
    return build_frame(DataSpec(source="a.csv", target="y", **data), None, Loaded(table))


def test_columns_are_sorted_into_numbers_and_categories() -> None:
    frame = build({"word": ["b", "a", None], "n": [1.5, None, 2], "flag": [True, False, None], "y": [0, 1, 0]})

    assert (frame.numeric_names, frame.categorical_names) == (("n", "flag"), ("word",))
    assert frame.codes[:, 0].tolist() == [2, 1, 0]
    assert frame.cardinalities == (3,)
    np.testing.assert_array_equal(frame.numeric, [[1.5, 1], [np.nan, 0], [2, np.nan]])


def test_numbers_declared_categorical_become_codes() -> None:
    frame = build({"zip": [20, 3, None], "y": [0, 1, 0]}, categorical=("zip",))

    assert frame.codes[:, 0].tolist() == [1, 2, 0]
    assert frame.numeric.shape == (3, 0)


def test_rows_without_a_target_are_dropped_everywhere() -> None:
    frame = build(
        {"n": [1, 2, 3], "word": ["a", "b", "c"], "house": ["x", "y", "z"], "y": [0, None, 1]},
        split=SplitSpec(group="house"),
    )

    assert (len(frame), frame.n_dropped) == (2, 1)
    assert frame.numeric[:, 0].tolist() == [1, 3]
    assert frame.cardinalities == (3,)
    assert frame.groups is not None
    assert frame.groups.tolist() == [1, 2]


@pytest.mark.parametrize(("corner", "shape"), [(4.0, (2, 2)), (None, None)])
def test_image_with_a_gap_is_no_image(corner: float | None, shape: tuple[int, ...] | None) -> None:
    table = pa.table({"a": [1.0, 2.0], "b": [2.0, 3.0], "c": [3.0, 4.0], "d": [5.0, corner], "y": [0, 1]})

    frame = build_frame(DataSpec(source="a:b", target="y"), None, Loaded(table, shape=(2, 2)))

    assert frame.shape == shape


def test_digest_ignores_how_the_rows_were_stored() -> None:
    wide = build({"n": pa.array([1, 2], pa.int64()), "word": ["a", "b"], "y": [0, 1]})
    narrow = build({"n": pa.array([1, 2], pa.int8()), "word": pa.array(["a", "b"]).dictionary_encode(), "y": [0, 1]})

    assert wide.digest() == narrow.digest()


@pytest.mark.parametrize(
    "change",
    [{"n": [1, 3]}, {"n": [1, None]}, {"word": ["a", "a"]}, {"word": ["b", "a"]}, {"y": [1, 0]}, {"more": [1, 2]}],
)
def test_digest_follows_every_value(change: dict[str, Any]) -> None:
    columns: dict[str, Any] = {"n": [1, 2], "word": ["a", "b"]}

    assert build({**columns, "y": [0, 1], **change}).digest() != build({**columns, "y": [0, 1]}).digest()


def test_missing_target_column_names_the_nearest() -> None:
    with pytest.raises(DataError, match=r"^data\.target: there is no column 'y'\. Did you mean 'yy'\?"):
        build({"a": [1, 2], "yy": [0, 1]})


def test_source_without_rows_is_refused() -> None:
    with pytest.raises(DataError, match=r"'a\.csv' has columns and no rows"):
        build({"a": [], "y": []})


@pytest.mark.parametrize("values", [[None, None], [np.nan, np.nan], pa.nulls(2, pa.string())])
def test_column_of_missing_values_is_refused(values: Any) -> None:
    with pytest.raises(DataError, match=r"column 'a' holds nothing but missing values\. Add it to data\.drop"):
        build({"a": values, "b": [1, 2], "y": [0, 1]})


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e39])
def test_infinite_number_is_refused_with_its_row(value: float) -> None:
    with pytest.raises(DataError, match=r"data\.source: 'a' must hold finite numbers .* in row 4 \(1 such row\)"):
        build({"a": [1.0, 2.0, 3.0, value], "y": [0, None, 0, 1]})


def test_texts_that_are_no_categories_are_refused() -> None:
    with pytest.raises(DataError, match=r"column 'a' has 60 distinct texts in 60 rows"):
        build({"a": [f"id-{i}" for i in range(60)], "y": [0, 1] * 30})


def test_word_among_numbers_may_be_a_declared_category() -> None:
    frame = build({"a": [*map(str, range(20)), "unknown"], "y": [0, 1] * 10 + [0]}, categorical=("a",))

    assert frame.cardinalities == (22,)


def test_column_of_lists_is_refused_by_type() -> None:
    with pytest.raises(DataError, match=r"column 'a' holds values that are neither .* \(list<"):
        build({"a": [[1], [2]], "y": [0, 1]})


def test_missing_group_is_refused() -> None:
    with pytest.raises(DataError, match=r"data\.split\.group: 'house' is missing in 1 rows, the first is row 2"):
        build({"a": [1, 2], "house": ["x", None], "y": [0, 1]}, split=SplitSpec(group="house"))


def test_missing_time_is_refused() -> None:
    with pytest.raises(DataError, match=r"data\.split\.time: 'day' is missing in 1 rows, the first is row 1"):
        build({"a": [1, 2], "day": [None, 3], "y": [0, 1]}, split=SplitSpec(time="day"))


def test_texts_are_no_times() -> None:
    with pytest.raises(DataError, match=r"data\.split\.time: 'day' must hold dates, times or numbers, got texts"):
        build({"a": [1, 2], "day": ["monday", "tuesday"], "y": [0, 1]}, split=SplitSpec(time="day"))
