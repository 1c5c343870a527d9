"""What is proposed for a table that nobody has said anything of but its target."""

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pegbox.datasets.propose import Proposal, propose
from pegbox.schemas.data import DataSpec, SplitSpec
from pegbox.schemas.errors import DataError

N = 1200
DAYS = [datetime.date(2020, 1, 1) + datetime.timedelta(days=i) for i in range(N)]


@pytest.fixture
def proposed(tmp_path: Path) -> Any:
    def make(columns: dict[str, Any], target: str | None = "y") -> Proposal:
        path = tmp_path / "table.parquet"
        pq.write_table(pa.table({name: pa.array(values) for name, values in columns.items()}), path)
        return propose(DataSpec(source=str(path), target=target))

    return make


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(0).normal(size=N)


def classes(noise: np.ndarray) -> list[str]:
    return ["left" if value > 0.6 else "stayed" for value in np.roll(noise, 1)]


def test_classes_are_split_with_the_same_shares(proposed: Any, noise: np.ndarray) -> None:
    found = proposed({"a": noise, "y": classes(noise)})

    assert found.spec.split == SplitSpec(stratify=True)
    assert (found.left_out, found.n_rows, found.n_inputs) == ({}, N, 1)


def test_few_rows_are_compared_on_folds(proposed: Any, noise: np.ndarray) -> None:
    found = proposed({"a": noise[:200], "y": noise[::-1][:200]})

    assert found.spec.split == SplitSpec(folds=5)
    assert "the noise of one part of 200 rows" in found.why_split[0]


@pytest.mark.parametrize(("name", "is_time"), [("day", True), ("birth_date", False), ("dateOfBirth", False)])
def test_a_date_splits_by_time_unless_it_is_of_birth(
    proposed: Any, noise: np.ndarray, name: str, is_time: bool
) -> None:
    found = proposed({name: DAYS, "a": noise, "y": noise[::-1]})

    assert found.spec.split.time == (name if is_time else None)


def test_rows_in_time_are_compared_on_several_stretches(proposed: Any, noise: np.ndarray) -> None:
    late = np.where(np.arange(N) < N // 3, 0.0, noise)  # tells nothing in the first stretch alone

    found = proposed({"day": DAYS, "a": noise, "late": late, "y": noise[::-1]})

    assert found.spec.split == SplitSpec(time="day", keep_time=True, folds=3)
    assert "need not be on the next" in found.why_split[0]
    assert found.left_out == {}


def test_of_two_dates_the_one_that_rows_are_in_the_order_of_is_taken(proposed: Any, noise: np.ndarray) -> None:
    found = proposed({"due": [*DAYS[600:], *DAYS[:600]], "seen": DAYS, "a": noise, "y": noise[::-1]})

    assert found.spec.split.time == "seen"


@pytest.mark.parametrize("days", [[*DAYS[1:], None], DAYS[:5] * (N // 5)], ids=["gap", "few"])
def test_a_date_that_cannot_order_rows_does_not(proposed: Any, noise: np.ndarray, days: list[Any]) -> None:
    assert proposed({"day": days, "a": noise, "y": noise[::-1]}).spec.split.time is None


@pytest.mark.parametrize("name", ["patient", "PATIENT_ID", "patientId"])
def test_a_repeated_key_keeps_its_rows_together(proposed: Any, noise: np.ndarray, name: str) -> None:
    found = proposed({name: np.arange(N) % 150, "a": noise, "y": classes(noise)})

    assert found.spec.split == SplitSpec(group=name, stratify=True)
    assert repr(name) in found.why_split[0]


def test_a_key_beside_a_date_is_no_feature(proposed: Any, noise: np.ndarray) -> None:
    found = proposed({"device": np.arange(N) % 150, "day": DAYS, "a": noise, "y": noise[::-1]})

    assert (found.spec.split.time, found.spec.split.group, found.spec.drop) == ("day", None, ("device",))


def test_what_repeats_and_is_no_key_stays_a_feature(proposed: Any, noise: np.ndarray) -> None:
    found = proposed({"rooms": np.arange(N) % 12, "type_id": np.arange(N) % 4, "a": noise, "y": classes(noise)})

    assert (found.spec.split.group, found.spec.drop) == (None, ())


@pytest.mark.parametrize(
    ("name", "column", "why"),
    [
        ("id", [7 * i for i in range(N)], "an identifier"),
        ("customer", [f"C{i}" for i in range(N)], "an identifier"),
        ("shuffled", np.random.default_rng(1).permutation(N), "an identifier"),
        ("row number", [3 * i for i in range(N)], "an identifier"),
        ("text", [f"words {i}" for i in range(N)], "no categories"),
        ("five", [5.0] * N, "is 5 in all rows"),
        ("word", ["same"] * N, "is 'same' in all training rows"),
        ("nothing", pa.nulls(N), "nothing but missing values"),
        ("inf", [float("inf"), *[1.0] * (N - 1)], "must hold finite numbers"),
        ("list", [[1, 2]] * N, "neither numbers nor texts"),
        ("day", ["03/04/2024", "05/04/2024"] * (N // 2), "can be read in two ways"),
    ],
)
def test_a_column_that_teaches_nothing_is_left_out(
    proposed: Any, noise: np.ndarray, name: str, column: Any, why: str
) -> None:
    found = proposed({name: column, "a": noise, "y": classes(noise)})

    assert found.spec.drop == (name,)
    assert why in found.left_out[name]
    assert "data.drop." not in found.left_out[name]


def test_different_whole_numbers_that_are_wide_apart_are_a_quantity(proposed: Any, noise: np.ndarray) -> None:
    income = np.random.default_rng(2).choice(10**6, N, replace=False)

    assert proposed({"income": income, "a": noise, "y": classes(noise)}).left_out == {}


def test_a_leak_is_left_out_unless_nothing_else_is_there(proposed: Any, noise: np.ndarray) -> None:
    beside = proposed({"refund": noise * 2 + 1, "a": noise[::-1], "y": noise})
    alone = proposed({"refund": noise * 2 + 1, "y": noise})

    assert "a suspected leak" in beside.left_out["refund"]
    assert (alone.left_out, len(alone.understanding.leaks)) == ({}, 1)


def test_a_split_that_the_rows_do_not_allow_falls_back_and_is_told(proposed: Any, noise: np.ndarray) -> None:
    found = proposed({"a": noise, "y": ["once", *["one", "two", "three"] * 400][:N]})

    assert found.spec.split == SplitSpec()
    assert found.why_split[0] == "At random. Neither a date nor a repeated key was found."
    assert "'once' must have 3 rows or more" in found.why_split[1]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": [1, 2, 3], "y": ["a", "b", "a"]}, "must have 20 rows or more with a value of 'y', got 3"),
        ({"a": range(N), "y": ["c"] * N}, "one class, 'c', in all rows"),
        ({"a": [1] * N, "b": ["k"] * N, "y": range(N)}, "no column is left .* 'a' is 1 in all rows .* 'b' is 'k'"),
        ({"id": range(N), "y": classes(np.arange(N) % 2)}, "no column is left .* 'id' has another value in every row"),
        ({"a": [], "y": []}, "has columns and no rows"),
        ({"a": range(N), "yy": range(N)}, "there is no column 'y'. Did you mean 'yy'?"),
    ],
    ids=["three rows", "one class", "constants", "identifiers", "no rows", "no target"],
)
def test_a_table_of_which_no_model_can_be_made_is_refused(proposed: Any, columns: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        proposed(columns)


def test_a_table_without_a_target_names_its_columns(proposed: Any, noise: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"no column to predict is named\. Known: a, y\."):
        proposed({"a": noise, "y": noise}, target=None)


def test_one_of_two_classes_that_cannot_be_in_every_part_is_refused(proposed: Any, noise: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"'b' of 'y' must have 3 rows or more, .* got 2 of 60. Gather more of it"):
        proposed({"a": noise[:60], "y": ["a"] * 58 + ["b"] * 2})
    # Of three the others are worth a model.
    assert proposed({"a": noise[:60], "y": ["a"] * 30 + ["b"] * 28 + ["c"] * 2}).n_rows == 60


def test_words_that_are_all_different_are_no_classes(proposed: Any, noise: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"which is no classification. Name a column of classes."):
        proposed({"a": noise, "y": [f"name {i}" for i in range(N)]})


def test_a_word_that_alone_keeps_numbers_from_being_read_is_a_missing_value(proposed: Any, noise: np.ndarray) -> None:
    prices = np.array([f"{one:.3f}" for one in noise], dtype=object)
    prices[::9] = "on request"
    days = np.array([str(day) for day in DAYS], dtype=object)
    days[5] = "soon"
    mixed = np.where(np.arange(N) % 7 == 0, "soon", np.where(noise > 0, "red", "blue"))
    typos = prices.copy()
    typos[1:4] = ["12,,3", "abc", "?!"]

    found = proposed({"price": prices, "due": days, "mixed": mixed, "typos": typos, "a": noise, "y": noise[::-1]})

    # "soon" is a category elsewhere, and a column of several strange words has mistakes in it.
    assert found.absent == {"on request": ("price",)}
    assert found.spec.missing == ("on request",)
    assert {"due", "typos"} <= found.left_out.keys()
    assert "price" not in found.left_out


def test_no_word_of_the_target_is_taken_for_missing(proposed: Any, noise: np.ndarray) -> None:
    strange = np.array([f"{one:.3f}" for one in noise], dtype=object)
    strange[3] = "none of it"
    with pytest.raises(DataError, match="none of it"):
        proposed({"a": strange, "b": noise, "y": strange})
