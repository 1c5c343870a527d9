"""What a table was taken for, and what is suspicious about it."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pegbox.datasets.prepared import read_understanding
from pegbox.schemas.data import PreparedData
from pegbox.schemas.understanding import DataUnderstanding

Prepared = Callable[..., PreparedData]
N = 400


@pytest.fixture
def understood(prepared: Prepared) -> Callable[..., DataUnderstanding]:
    def make(columns: dict[str, Any], **data: Any) -> DataUnderstanding:
        found = read_understanding(prepared(columns, **data).path)
        assert found is not None
        return found

    return make


Understood = Callable[..., DataUnderstanding]


def test_every_column_is_told_with_its_kind(understood: Understood) -> None:
    told = understood(
        {
            "id": range(N),
            "price": ["1.205,5", "7"] * (N // 2),
            "city": ["b", "a", None, "c"] * (N // 4),
            "paid": ["yes", "NO"] * (N // 2),
            "day": np.arange(N).astype("datetime64[D]"),
            "y": [0.5, 1.5, 2.5, None] * (N // 4),
        },
        drop=["id"],
    )

    kinds = [(column.name, column.kind, column.n_missing) for column in told.columns]
    assert kinds == [
        ("id", "left out", 0),
        ("price", "number", 0),
        ("city", "category", 100),
        ("paid", "yes or no", 0),
        ("day", "date", 0),
    ]
    assert told.columns[1].told == "written as text, decimal comma, thousands divided"
    assert told.columns[2].levels == ("a", "b")
    assert (told.n_dropped, sum(told.n_rows.values())) == (100, 300)


def test_a_target_is_told_by_its_shares_or_its_range(understood: Understood, rng: np.random.Generator) -> None:
    noise = rng.normal(size=N)

    classes = understood({"a": noise, "y": ["yes"] * 100 + ["no"] * 300})
    numbers = understood({"a": noise, "y": np.linspace(0, 10, N)})

    assert classes.class_shares == {"no": 0.75, "yes": 0.25}
    assert numbers.target_range is not None
    assert (numbers.target_range.min, numbers.target_range.max) == (0, 10)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (np.full(N, 5.0), "'a' is 5 in all rows and teaches nothing"),
        (np.arange(N), "'a' counts the rows"),
        (np.where(np.arange(N) % 9, np.arange(N) % 7, -999), "'a' is -999 in 45 rows, far from all others"),
        (["red", "Red", "blue", "red "] * (N // 4), "categories that differ in spelling only: 'Red', 'red', 'red '"),
    ],
)
def test_a_suspicious_column_is_named(understood: Understood, column: Any, words: str) -> None:
    told = understood({"a": column, "b": np.arange(N) % 5, "y": np.arange(N) // 7 % 2})

    assert len(told.warnings) == 1
    assert words in told.warnings[0]


@pytest.mark.parametrize(
    ("n_rare", "split", "words"),
    [
        (1, {}, "the class 'rare' has 1 row, none of them in the .* Merge it with another"),
        (12, {}, "the class 'rare' has 12 rows, .* `split: {stratify: true}`"),
        (12, {"stratify": True}, "the class 'rare' has 12 rows, few of them .* hangs on single rows"),
    ],
)
def test_a_rare_class_is_named_with_what_helps(
    understood: Understood, n_rare: int, split: dict[str, Any], words: str
) -> None:
    classes = ["rare"] * n_rare + ["no", "yes"] * N

    told = understood({"a": np.arange(len(classes)) % 7, "y": classes}, split=split)

    (warning,) = told.warnings
    assert re.search(words, warning)


def test_classes_with_rows_enough_raise_no_doubt(understood: Understood) -> None:
    assert understood({"a": np.arange(N) % 7, "y": ["no", "yes"] * (N // 2)}).warnings == ()


@pytest.mark.parametrize("kind", ["category", "number", "gap", "regression"])
def test_a_column_that_gives_the_target_away_is_named(
    understood: Understood, rng: np.random.Generator, kind: str
) -> None:
    answer = rng.random(N) < 0.3
    target: Any = np.where(answer, "yes", "no") if kind != "regression" else rng.normal(size=N)
    leak: Any = {
        "category": [rng.choice(["price", "moved"]) if one else None for one in answer],
        "number": answer * 3.0 + rng.uniform(0, 1, N),
        "gap": np.where(answer, np.nan, rng.normal(size=N)),
        "regression": target if kind == "regression" else 0,
    }[kind]

    told = understood({"honest": rng.normal(size=N) + answer, "leak": leak, "y": target})

    assert [leak.column for leak in told.leaks] == ["leak"]


def test_honest_columns_and_names_of_rows_are_no_leak(understood: Understood, rng: np.random.Generator) -> None:
    answer = rng.random(N) < 0.5
    codes = [f"c{number}" for number in rng.permutation(N)]

    told = understood(
        {"good": answer + rng.normal(0, 0.5, N), "code": codes, "y": answer.astype(int)}, categorical=["code"]
    )

    assert told.leaks == ()


def test_an_earlier_versions_data_has_no_story(prepared: Prepared) -> None:
    data = prepared({"a": range(10), "y": [0, 1] * 5})
    (data.path / "understanding.json").write_text("{}")

    assert read_understanding(data.path) is None
