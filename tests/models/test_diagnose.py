"""Diagnostics find what was put into the rows: a wrong slice, a deciding column, a probability that lies."""

from typing import Any

import numpy as np
import pytest

from pegbox.models.column_importance import column_importance
from pegbox.models.diagnose import diagnose
from pegbox.models.worse_slices import worse_slices
from pegbox.report.model_card import card_lines
from pegbox.schemas.arrays import Part
from pegbox.schemas.model import ModelCard
from pegbox.schemas.preprocessing import Feature, Preprocessing

N_ROWS = 400
HOW = Preprocessing(
    target="y",
    task="classification",
    classes=("no", "yes"),
    columns=("age", "city", "noise"),
    numeric=(Feature(name="age", kind="number"), Feature(name="noise", kind="number")),
    categorical=(Feature(name="city", kind="category", levels=("Oslo", "Rome")),),
    fills=(40.0, 0.0),
    gaps=(0,),
    means=(40.0, 0.0, 0.1),
    deviations=(10.0, 1.0, 0.3),
)


class ByAge:
    """Says yes to the old, as sure as it is told to be."""

    def __init__(self, sureness: float = 0.9, *, is_regression: bool = False) -> None:
        self.sureness, self.has_probabilities = sureness, not is_regression

    def predict(self, numeric: Any, categorical: Any) -> Any:
        return numeric[:, 0].astype(np.float64)

    def predict_proba(self, numeric: Any, categorical: Any) -> Any:
        yes = np.where(numeric[:, 0] > 0, self.sureness, 1 - self.sureness)
        return np.stack([1 - yes, yes], axis=1)


def rows(*, wrong_in_rome: bool = False, is_regression: bool = False) -> Part:
    rng = np.random.default_rng(1)
    missing = rng.random(N_ROWS) < 0.1
    age = np.where(missing, 0.0, rng.normal(size=N_ROWS))
    indicator = (missing - 0.1) / 0.3
    city = rng.integers(1, 3, (N_ROWS, 1))
    target = (age > 0).astype(np.int64)
    if wrong_in_rome:
        target = np.where(city[:, 0] == 2, 1 - target, target)
    truth = age + rng.normal(0, 0.5, N_ROWS) if is_regression else target
    return Part(np.stack([age, rng.normal(size=N_ROWS), indicator], axis=1).astype(np.float32), city, truth)


def test_slice_that_is_wrong_is_found_by_name() -> None:
    found = diagnose(ByAge(), HOW, rows(wrong_in_rome=True), "test", "on the rows that were held out")

    assert [(one.column, one.told) for one in found.slices] == [("city", "is 'Rome'")]
    assert found.slices[0].value == 1
    assert found.slices[0].elsewhere == 0
    assert found.confusion is not None
    assert sum(map(sum, found.confusion.counts)) == found.n_rows == N_ROWS


def test_no_slice_is_found_in_noise() -> None:
    part, wronged = rows(), 0
    for seed in range(40):
        errors = (np.random.default_rng(seed).random(N_ROWS) < 0.2).astype(np.float64)
        wronged += bool(worse_slices(HOW, part, errors, is_share=True)[0])

    # One in twenty is allowed; of forty more than six would be once in two hundred times.
    assert wronged <= 6


def test_larger_errors_of_a_number_are_found_and_others_not() -> None:
    part, rng = rows(), np.random.default_rng(0)
    errors = np.abs(rng.normal(1, 0.2, N_ROWS)) + (part.numeric[:, 1] > 0.8)

    found, _ = worse_slices(HOW, part, errors, is_share=False)

    assert {one.column for one in found} == {"noise"}
    assert worse_slices(HOW, part, np.ones(N_ROWS), is_share=False)[0] == ()


def test_missing_values_are_a_slice_of_their_own() -> None:
    part = rows()
    errors = (part.numeric[:, 2] > 0).astype(np.float64)

    found, n_slices = worse_slices(HOW, part, errors, is_share=True)

    assert (found[0].column, found[0].told) == ("age", "is missing")
    assert n_slices == 11


def test_deciding_column_is_first_and_noise_has_no_importance() -> None:
    found = diagnose(ByAge(), HOW, rows(), "test", "").importance

    assert found[0].column == "age"
    assert found[0].interval.low > 0
    assert {one.column for one in found[1:] if one.loss == 0} == {"city", "noise"}


def test_no_column_of_many_that_are_noise_seems_to_matter() -> None:
    names, rng = tuple(f"c{i}" for i in range(300)), np.random.default_rng(5)
    how = HOW.model_copy(
        update={"columns": names, "numeric": tuple(Feature(name=name, kind="number") for name in names)}
        | {"categorical": (), "gaps": (), "means": (0.0,) * 300, "deviations": (1.0,) * 300}
    )
    weights = rng.normal(size=300) / 30
    part = Part(rng.normal(size=(60, 300)).astype(np.float32), np.empty((60, 0), np.int64), rng.integers(0, 2, 60))

    def losses(part: Part) -> Any:
        return (part.numeric @ weights - part.target) ** 2

    assert all(one.interval.low <= 0 for one in column_importance(how, part, losses))


def test_indicator_is_shuffled_with_its_column() -> None:
    seen: list[Any] = []

    def losses(part: Part) -> Any:
        seen.append(part.numeric)
        return np.zeros(len(part))

    part = rows()
    column_importance(HOW, part, losses)

    pairs = {tuple(pair) for pair in part.numeric[:, [0, 2]].tolist()}
    assert all({tuple(pair) for pair in numeric[:, [0, 2]].tolist()} == pairs for numeric in seen)


@pytest.mark.parametrize(("sureness", "expected"), [(0.99, 0.01), (0.6, 0.4)])
def test_calibration_is_what_was_said_less_what_came_true(sureness: float, expected: float) -> None:
    found = diagnose(ByAge(sureness), HOW, rows(), "valid", "").calibration

    assert found is not None
    assert found.expected_error == pytest.approx(expected)
    assert found.brier == pytest.approx(2 * expected**2)


def test_interval_of_a_number_holds_as_often_as_it_says() -> None:
    how = HOW.model_copy(update={"task": "regression", "classes": ()})

    found = diagnose(ByAge(is_regression=True), how, rows(is_regression=True), "test", "")

    assert found.coverage is not None
    assert found.residuals is not None
    # Nine of ten normal errors of 0.5 lie within 0.82; half of 400 rows tell it to some points.
    assert found.coverage.half_width == pytest.approx(0.82, abs=0.12)
    assert found.coverage.covered == pytest.approx(0.9, abs=0.06)
    assert found.residuals.quantiles["50%"] == pytest.approx(0, abs=0.1)


def test_few_rows_and_one_row_are_diagnosed() -> None:
    part = rows()
    one = Part(part.numeric[:1], part.categorical[:1], part.target[:1])

    found = diagnose(ByAge(), HOW, one, "test", "on one row")

    assert found.n_rows == 1
    assert found.slices == ()


def test_card_is_told_in_sentences() -> None:
    found = diagnose(ByAge(0.6), HOW, rows(wrong_in_rome=True), "test", "on the rows that were held out")
    card = ModelCard(title="t", metric="val_loss", goal="minimize", expected=0.1, limits=("l",), diagnostics=found)

    said = dict(card_lines(card))

    assert said["worse"].startswith("where 'city' is 'Rome': share of wrong answers 1.000, elsewhere 0")
    assert said["confused"].count("times") == 2
    assert "Brier score" in said["calibration"]
    assert said["limit"] == "l"
