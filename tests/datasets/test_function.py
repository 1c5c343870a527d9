from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pegbox.datasets.frame import build_frame
from pegbox.datasets.function import FunctionSource, as_table
from pegbox.datasets.source import Loaded
from pegbox.datasets.tensor_columns import tensor_shape, tensor_values
from pegbox.schemas.data import DataSpec
from pegbox.schemas.errors import DataError

Load = Callable[[str], Loaded]


@pytest.fixture
def returning(here: Path, request: pytest.FixtureRequest) -> Load:
    """Loads from a module in the working directory whose function returns this expression."""

    def load(expression: str) -> Loaded:
        # A module of its own for each test: imported modules stay in this process.
        module = "data_" + request.node.name.translate(str.maketrans("[]-.'(){}: ,", "____________"))
        Path(f"{module}.py").write_text(f"import numpy as np\n\n\ndef load():\n    return {expression}\n")
        return FunctionSource(f"{module}:load").load()

    return load


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('pandas').DataFrame({'a': [1.0, None], 'b': ['x', 'y']})",
        "__import__('pyarrow').table({'a': [1.0, None], 'b': ['x', 'y']})",
        "{'a': np.array([1.0, np.nan]), 'b': ['x', 'y']}",
    ],
    ids=["pandas", "arrow", "mapping"],
)
def test_tables_of_all_sorts_are_the_same_rows(returning: Load, expression: str) -> None:
    table = returning(expression).table

    assert table.to_pylist() == [{"a": 1.0, "b": "x"}, {"a": None, "b": "y"}]


def test_pair_becomes_numbered_columns_and_a_target(returning: Load) -> None:
    loaded = returning("(np.arange(6.0).reshape(3, 2), ['a', 'b', 'a'])")

    assert loaded.table.column_names == ["x0", "x1", "target"]
    assert loaded.target == "target"
    assert loaded.table["x1"].to_pylist() == [1, 3, 5]


def test_pair_with_a_data_frame_keeps_its_names(returning: Load) -> None:
    loaded = returning("(__import__('pandas').DataFrame({'size': [1, 2]}), np.array([0, 1]))")

    assert loaded.table.column_names == ["size", "target"]


@pytest.mark.parametrize(
    "expression",
    [
        "(np.zeros((4, 3, 2, 2)), [0, 1, 0, 1])",
        "{'x': np.zeros((4, 3, 2, 2)), 'target': [0, 1, 0, 1]}",
        "{'x': np.zeros((4, 3, 2, 2))[:, :, ::-1], 'target': [0, 1, 0, 1]}",
    ],
)
def test_images_are_one_column_of_their_shape(returning: Load, expression: str) -> None:
    loaded = returning(expression)

    assert loaded.table.column_names == ["x", "target"]
    assert tensor_shape(loaded.table["x"].type) == (3, 2, 2)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("(np.array([[['a'], ['b']]] * 4), [0, 1, 0, 1])", "must return"),
        ("(np.zeros((4, 3, 2), dtype=complex), [0, 1, 0, 1])", "must return"),
        ("(np.zeros((4, 3, 2)), [0, 1])", "must return"),
    ],
)
def test_arrays_that_no_column_can_hold_are_refused(returning: Load, expression: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        returning(expression)


def test_target_of_arrays_and_gaps_in_arrays_are_refused_by_name() -> None:
    arrays = np.zeros((40, 3, 2))
    table = as_table({"x": arrays, "y": arrays})
    with pytest.raises(DataError, match="'y'"):
        build_frame(DataSpec(source="m:f", target="y"), None, Loaded(table))
    arrays[7, 1, 1] = np.nan
    table = as_table({"x": arrays, "y": [0, 1] * 20})
    with pytest.raises(DataError, match="'x' must hold finite numbers, got one that is none in row 8"):
        build_frame(DataSpec(source="m:f", target="y"), None, Loaded(table))


def test_module_beside_the_loader_can_be_imported(here: Path) -> None:
    Path("beside_the_loader.py").write_text("ROWS = {'a': [1], 'y': [2]}\n")
    Path("loader_with_company.py").write_text("def load():\n    from beside_the_loader import ROWS\n    return ROWS\n")

    assert FunctionSource("loader_with_company:load").load().table.num_rows == 1


def test_missing_module_says_where_it_was_looked_for(here: Path) -> None:
    Path("my_data.py").touch()

    with pytest.raises(DataError, match=r"no module 'my_date' for 'my_date:load' in .*here \(which holds my_data\)"):
        FunctionSource("my_date:load").load()


def test_missing_function_names_the_nearest(here: Path) -> None:
    Path("holds_load.py").write_text("def load():\n    return {}\n")

    with pytest.raises(DataError, match=r"holds_load has no 'laod'. Did you mean 'load'\?"):
        FunctionSource("holds_load:laod").find()


def test_missing_dependency_is_not_taken_for_the_module(here: Path) -> None:
    Path("wants_more.py").write_text("import not_installed_anywhere\n")

    with pytest.raises(DataError, match="importing wants_more needs the module 'not_installed_anywhere'"):
        FunctionSource("wants_more:load").find()


def test_module_that_raises_on_import_is_quoted(here: Path) -> None:
    Path("falls_over.py").write_text("1 / 0\n")

    with pytest.raises(DataError, match="importing falls_over raised ZeroDivisionError: division by zero"):
        FunctionSource("falls_over:load").find()


def test_function_that_raises_is_quoted(returning: Load) -> None:
    with pytest.raises(DataError, match=r":load raised ZeroDivisionError: "):
        returning("1 / 0")


def test_name_that_is_no_function_is_refused(here: Path) -> None:
    Path("holds_rows.py").write_text("rows = [1]\n")

    with pytest.raises(DataError, match=r"must be a function that returns the data, got \[1\]"):
        FunctionSource("holds_rows:rows").find()


@pytest.mark.parametrize(
    "expression",
    [
        "None",
        "3",
        "(np.zeros(3), [0, 1, 0])",
        "(np.zeros((3, 1)), [0, 1])",
        "{'a': [1, 2], 'y': [1]}",
        "{'a': [1, 'b']}",
    ],
)
def test_anything_else_is_refused_with_what_was_expected(returning: Load, expression: str) -> None:
    with pytest.raises(DataError, match=r"must return a pandas or polars data frame, .* got "):
        returning(expression)


def test_working_directory_is_searched_only_while_loading(here: Path) -> None:
    import sys

    Path("searched_once.py").write_text("def load():\n    return {'a': [1], 'y': [1]}\n")
    before = list(sys.path)

    FunctionSource("searched_once:load").load()

    assert sys.path == before
    assert np.isin(str(here), sys.path).sum() == before.count(str(here))


TORCH = "__import__('torch').utils.data"
ROWS = f"{TORCH}.TensorDataset(__import__('torch').arange(24.0).reshape(2, 3, 4), __import__('torch').tensor([0, 1]))"


@pytest.mark.parametrize("expression", [ROWS, f"{TORCH}.DataLoader({ROWS}, batch_size=1, shuffle=True)"])
def test_a_torch_data_set_of_pairs_is_rows_in_their_order(returning: Load, expression: str) -> None:
    loaded = returning(expression)

    assert tensor_shape(loaded.table["x"].type) == (3, 4)
    assert tensor_values(loaded.table["x"])[:, 11].tolist() == [11.0, 23.0]
    assert loaded.table.column("target").to_pylist() == [0, 1]


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        (f"({ROWS}, {ROWS})", "it holds 2 data sets, and pegbox splits one itself. .*train.loaders"),
        (f"{TORCH}.DataLoader({ROWS}, collate_fn=list)", "the loader collates its batches itself"),
        (f"type('S', ({TORCH}.IterableDataset,), {{'__iter__': None}})()", "it has no length or is read in one go"),
        (f"{TORCH}.Subset({ROWS}, [])", "it holds no rows"),
        (f"{TORCH}.TensorDataset(__import__('torch').ones(2))", "example 0 is no pair"),
        (f"{TORCH}.Subset([(np.ones(2), 1), (np.ones(3), 0)], [0, 1])", "its examples are of several shapes"),
        (f"{TORCH}.Subset([(np.ones(2), np.ones(2))], [0])", r"the target of example 0 has shape \(2,\)"),
    ],
)
def test_torch_data_of_another_form_is_refused_with_the_way_to_go(returning: Load, expression: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        returning(expression)
