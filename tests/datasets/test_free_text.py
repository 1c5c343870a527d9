"""Columns of free text: their numbers, how they are told, and what they cannot be."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pegbox.datasets.new_rows import NewRows
from pegbox.datasets.prepare import prepare
from pegbox.datasets.prepared import open_prepared, read_understanding
from pegbox.datasets.preprocessing import read_preprocessing
from pegbox.datasets.propose import propose
from pegbox.schemas.data import DataSpec, PreparedData
from pegbox.schemas.errors import DataError

Prepared = Callable[..., PreparedData]


def reviews(n_rows: int = 120) -> dict[str, Any]:
    """Sentences whose second word says how they were meant."""
    good = np.arange(n_rows) % 2 == 0
    words = [f"a {'lovely' if one else 'dreadful'} stay in room {i} of hotel{i}" for i, one in enumerate(good)]
    return {"review": words, "nights": np.arange(n_rows) % 7, "again": np.where(good, "yes", "no")}


def text(**more: Any) -> dict[str, Any]:
    return {"columns": ["review"], "width": 20, **more}


def test_frequent_words_of_the_training_rows_are_numbers(prepared: Prepared) -> None:
    data = prepared(reviews(), text=text())

    train, (learned,) = open_prepared(data, 0).train, read_preprocessing(data, 0).texts
    assert (train.numeric.shape[1], data.n_numeric, len(data.numeric)) == (21, 21, 21)
    assert {"lovely", "dreadful", "room"} <= set(learned.words)
    assert np.linalg.norm(train.numeric[:, 1:], axis=1) == pytest.approx(1)
    lovely = train.numeric[:, 1 + learned.words.index("lovely")]
    assert ((lovely > 0) == (train.target == data.classes.index("yes"))).all()
    understood = read_understanding(data.path)
    assert understood is not None
    assert next((one.kind, one.told) for one in understood.columns) == ("text", "20 numbers by tfidf")


@pytest.mark.parametrize("method", ["tfidf", "hashing"])
def test_new_texts_become_the_numbers_of_training(prepared: Prepared, method: str) -> None:
    columns = reviews()
    data = prepared(columns, text=text(method=method), split={"folds": 3})
    import pyarrow as pa

    rows = NewRows(read_preprocessing(data, 1)).read(pa.table(columns))[0]

    fold = open_prepared(data, 1)
    parts = np.concatenate([fold.train.numeric, fold.valid.numeric, fold.test.numeric])
    assert np.array_equal(np.sort(rows[:, 1:].sum(axis=1)), np.sort(parts[:, 1:].sum(axis=1)))
    assert rows.shape == (120, 21)


def test_text_alone_and_missing_texts_are_no_error(prepared: Prepared) -> None:
    columns = {**reviews(), "review": [None, *reviews()["review"][1:]]}

    data = prepared(columns, text=text(), drop=["nights"])

    assert data.numeric[0] == "review [0]"


def test_texts_are_part_of_the_fingerprint_of_a_query(here: Path, parquet: Callable[..., str], root: Path) -> None:
    spec = {"target": "again", "text": text()}
    names = [parquet(reviews(), "a.parquet"), parquet({**reviews(), "review": reviews()["review"][::-1]}, "b.parquet")]

    made = {prepare(DataSpec(source=f"SELECT * FROM '{name}'", **spec), None, root).fingerprint for name in names}

    assert len(made) == 2


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"text": {"columns": ["nights"]}}, "data.text.columns: 'nights' holds numbers, expected texts"),
        ({"text": {"columns": ["revew"]}}, "Did you mean 'review'?"),
        ({"text": {"columns": ["again"]}}, "'again' is free text, and cannot be the target"),
        ({"text": text(), "categorical": ["review"]}, "'review' is free text, and cannot be"),
        ({"text": text(), "drop": ["review"]}, "'review' is free text, and cannot be"),
        ({}, "write `text: {columns: [review]}` below data where it is free text"),
    ],
)
def test_what_cannot_be_free_text_is_told(prepared: Prepared, entry: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError) as caught:
        prepared(reviews(), **entry)

    assert said in str(caught.value)


def test_texts_without_a_word_are_refused(prepared: Prepared) -> None:
    with pytest.raises(DataError, match="holds no word in the training rows"):
        prepared({**reviews(), "review": ["?!"] * 120}, text=text())


def test_a_table_is_proposed_with_its_free_text(parquet: Callable[..., str]) -> None:
    columns = {**reviews(), "person": [f"Ann Smith{i}" for i in range(120)]}

    made = propose(DataSpec(source=parquet(columns), target="again"))

    assert made.spec.texts == ("review",)
    assert "person" in made.left_out
    assert made.n_inputs > 256
