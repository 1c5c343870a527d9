import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from pegbox.datasets.prepared import array_path, open_prepared
from pegbox.schemas.data import PreparedData, SplitSpec
from pegbox.schemas.errors import DataError

Make = Callable[..., PreparedData]


@pytest.fixture
def data(prepared: Make) -> PreparedData:
    return prepared({"a": range(10), "y": [0, 1] * 5})


def test_arrays_are_mapped_not_read(data: PreparedData) -> None:
    assert isinstance(open_prepared(data, 0).train.numeric, np.memmap)


def test_writing_to_an_array_leaves_the_file_as_it_was(data: PreparedData) -> None:
    numeric = open_prepared(data, 0).train.numeric
    before = numeric.copy()

    numeric[:] = 9

    np.testing.assert_array_equal(open_prepared(data, 0).train.numeric, before)


def test_no_rows_held_out_gives_no_test_part(prepared: Make) -> None:
    data = prepared({"a": range(10), "y": [0, 1] * 5}, split=SplitSpec(test=0))

    assert open_prepared(data, 0).test is None


def test_data_without_numbers_is_opened(prepared: Make) -> None:
    data = prepared({"word": ["a", "b"] * 5, "y": [0, 1] * 5})

    assert open_prepared(data, 0).train.numeric.shape == (6, 0)


def test_fold_that_does_not_exist_is_refused(data: PreparedData) -> None:
    with pytest.raises(DataError, match="has folds 0 to 0, got fold 1"):
        open_prepared(data, 1)


@pytest.mark.parametrize("damage", [b"", b"not an array at all"])
def test_damaged_file_says_what_to_delete(data: PreparedData, damage: bytes) -> None:
    array_path(data.path, 0, "valid", "target").write_bytes(damage)

    with pytest.raises(DataError, match=r"is damaged: .*Delete this directory"):
        open_prepared(data, 0)


def test_missing_file_says_what_to_delete(data: PreparedData) -> None:
    array_path(data.path, 0, "valid", "target").unlink()

    with pytest.raises(DataError, match=r"is damaged: .*Delete this directory"):
        open_prepared(data, 0)


def test_opening_imports_no_heavy_library() -> None:
    heavy = {"duckdb", "pyarrow", "sklearn", "torch", "prefect", "pandas"}
    code = f"import sys, pegbox.datasets.prepared; print(sorted({heavy} & set(sys.modules)))"

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed.strip() == "[]"
