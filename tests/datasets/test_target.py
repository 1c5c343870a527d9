from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pegbox.datasets.target import Target, read_target
from pegbox.schemas.data import Task
from pegbox.schemas.errors import DataError

MANY = list(np.linspace(0.0, 1.0, 100))


def read(values: Any, task: Task | None = None) -> Target:
    return read_target("y", pa.chunked_array([pa.array(values, from_pandas=True)]), task)


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        (["b", "a", "b"], "classification", ("a", "b")),
        ([True, False, True], "classification", ("false", "true")),
        ([10, 2, 10], "classification", ("2", "10")),
        ([1.0, 0.0, np.nan], "classification", ("0", "1")),
        (list(range(20)), "classification", tuple(map(str, range(20)))),
        (list(range(21)), "regression", ()),
        ([0.5, 1.0, 1.5], "regression", ()),
    ],
    ids=["texts", "booleans", "few integers", "few whole floats", "twenty integers", "many integers", "fractions"],
)
def test_task_is_inferred_from_the_column(values: Any, task: Task, classes: tuple[str, ...]) -> None:
    target = read(values)

    assert (target.task, target.classes) == (task, classes)


def test_codes_point_at_the_sorted_classes() -> None:
    assert read(["b", "a", None, "c"]).values.tolist() == [1, 0, 2]
    assert read([10, 2, 10]).values.tolist() == [1, 0, 1]


def test_declared_regression_keeps_few_integers_as_numbers() -> None:
    assert read([1, 2, 3], "regression").values.tolist() == [1.0, 2.0, 3.0]


def test_declared_classification_takes_many_integers() -> None:
    assert len(read(list(range(30)) * 2, "classification").classes) == 30


def test_declared_classification_takes_a_few_fractions() -> None:
    assert read([0.5, 1.0, 1.5, 0.5], "classification").classes == ("0.5", "1.0", "1.5")


def test_rows_without_a_target_are_left_out() -> None:
    assert read(["a", None, "b"]).rows.tolist() == [0, 2]
    assert read([np.nan, 1.0, 2.0]).rows.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("values", "task", "message"),
    [
        (["a", "b"], "regression", "regression needs numbers, and 'y' holds texts such as 'a'"),
        ([True, False], "regression", "regression needs numbers, and 'y' holds booleans"),
        (MANY, "classification", "'y' has 100 distinct values with fractions in 100 rows, which is no classification"),
        (list(range(50)), "classification", "'y' has 50 distinct values as classes in 50 rows"),
        ([f"id-{i}" for i in range(50)], None, "'y' has 50 distinct values as classes in 50 rows"),
        (["a", "a", None], None, "'y' holds one class, 'a', in all rows"),
        ([3, 3], "classification", "'y' holds one class, '3', in all rows"),
        ([3.5, 3.5], "regression", "'y' holds one value, 3.5, in all rows"),
        ([1.0, np.inf, 2.0], "regression", "finite numbers that fit a float32, got inf in row 2"),
        ([1.0, 2.0, 1e39], "regression", "finite numbers that fit a float32, got 1e\\+39 in row 3"),
        ([date(2024, 1, 1), date(2024, 1, 2)], None, "'y' holds dates or times, expected classes or numbers"),
        ([[1], [2]], None, "'y' holds values that are neither numbers nor texts"),
        ([None, None], None, "'y' holds nothing but missing values"),
        (np.array([np.nan, np.nan]), None, "'y' is missing in every row"),
    ],
)
def test_column_that_cannot_be_predicted_is_refused(values: Any, task: Task | None, message: str) -> None:
    with pytest.raises(DataError, match=f"^data.target: .*{message}"):
        read(values, task)
