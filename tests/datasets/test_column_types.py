from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pegbox.datasets.column_types import Kind, as_codes, as_numbers, column_problems, feature_names, kind_of
from pegbox.schemas.data import DataSpec, SplitSpec


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, None], Kind.NUMBER),
        ([Decimal("1.5")], Kind.NUMBER),
        ([True], Kind.BOOLEAN),
        (["a"], Kind.TEXT),
        ([date(2024, 1, 1)], Kind.DATE),
        ([None], Kind.EMPTY),
        ([[1, 2]], Kind.OTHER),
        ([b"\x00"], Kind.OTHER),
    ],
)
def test_kind_follows_the_type(values: list[Any], kind: Kind) -> None:
    assert kind_of(pa.array(values).type) is kind


def test_texts_of_every_encoding_are_texts() -> None:
    encodings = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]

    assert {kind_of(each) for each in encodings} == {Kind.TEXT}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, None, 3], [1, np.nan, 3]),
        ([True, None, False], [1, np.nan, 0]),
        ([Decimal("0.25"), None], [0.25, np.nan]),
        ([date(1970, 1, 3), None], [2, np.nan]),
        ([datetime(1970, 1, 2, 12), None], [1.5, np.nan]),
        ([timedelta(hours=6), None], [0.25, np.nan]),
        ([datetime(1970, 1, 1, 18).time()], [0.75]),
    ],
    ids=["integers", "booleans", "decimals", "dates", "moments", "durations", "times of day"],
)
def test_numbers_of_every_kind_keep_their_gaps(values: list[Any], expected: list[float]) -> None:
    np.testing.assert_array_equal(as_numbers(pa.chunked_array([values])), expected)


def test_codes_follow_the_sorted_vocabulary() -> None:
    codes, vocabulary = as_codes(pa.chunked_array([["pear", None], ["apple", "pear"]]))

    assert vocabulary == ("apple", "pear")
    assert codes.tolist() == [2, 0, 1, 2]


def test_codes_ignore_how_categories_were_numbered() -> None:
    first = pa.DictionaryArray.from_arrays([0, 1, None], ["a", "b", "never"])
    second = pa.array(["a", "b", None])

    codes, vocabulary = as_codes(pa.chunked_array([first]))

    assert (codes.tolist(), vocabulary) == (as_codes(pa.chunked_array([second]))[0].tolist(), ("a", "b"))


def test_features_are_all_columns_without_a_role() -> None:
    spec = DataSpec(source="a.csv", target="y", drop=("id",), split=SplitSpec(group="house"))

    assert feature_names(spec, ("id", "house", "a", "y", "b"), "y") == ("a", "b")


def test_listed_features_keep_their_order_and_may_split() -> None:
    spec = DataSpec(source="a.csv", target="y", features=("b", "day"), split=SplitSpec(time="day"))

    assert feature_names(spec, ("day", "a", "b", "y"), "y") == ("b", "day")


@pytest.mark.parametrize(
    ("entries", "path", "message"),
    [
        ({}, ("data",), "no column to predict is named. Add `target:` with one of age, house, day, bought"),
        ({"target": "bougth"}, ("data", "target"), "there is no column 'bougth'. Did you mean 'bought'?"),
        ({"target": "bought", "features": ["age", "hose"]}, ("data", "features", 1), "Did you mean 'house'?"),
        ({"target": "bought", "drop": ["ages"]}, ("data", "drop", 0), "Did you mean 'age'?"),
        ({"target": "bought", "categorical": ["hous"]}, ("data", "categorical", 0), "Did you mean 'house'?"),
        ({"target": "bought", "split": {"group": "horse"}}, ("data", "split", "group"), "Did you mean 'house'?"),
        ({"target": "bought", "split": {"time": "date"}}, ("data", "split", "time"), "there is no column 'date'."),
        ({"target": "bought", "features": ["bought"]}, ("data", "features", 0), "'bought' is the target."),
        ({"target": "bought", "features": ["age", "age"]}, ("data", "features", 1), "'age' is listed twice."),
        ({"target": "bought", "drop": ["bought"]}, ("data", "drop", 0), "'bought' is the target."),
        ({"target": "bought", "split": {"time": "bought"}}, ("data", "split", "time"), "cannot be split by the target"),
        (
            {"target": "bought", "drop": ["age", "house", "day"]},
            ("data",),
            "no column is left to predict 'bought' from",
        ),
    ],
)
def test_each_wrong_name_is_told_with_its_place(
    entries: dict[str, Any], path: tuple[str | int, ...], message: str
) -> None:
    spec = DataSpec.model_validate({"source": "a.csv", **entries})

    (problem,) = column_problems(spec, ("age", "house", "day", "bought"), None)

    assert problem.path == path
    assert message in problem.message


def test_every_unknown_name_is_told_at_once() -> None:
    spec = DataSpec(source="a.csv", target="z", drop=("u", "v"))

    assert len(column_problems(spec, ("a", "y"), None)) == 3


def test_repeated_column_names_are_refused() -> None:
    (problem,) = column_problems(DataSpec(source="a.csv", target="y"), ("a", "y", "a"), None)

    assert problem.message == "columns must have different names, got 'a' twice. Rename one."
