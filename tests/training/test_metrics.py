"""Metrics against scikit-learn's, and what they say where they are not defined."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from pegbox.training.metrics import (
    balanced_accuracy,
    classification_metrics,
    macro_f1,
    pr_auc,
    prefixed,
    regression_metrics,
    roc_auc,
)


@settings(max_examples=50)
@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(4, 40))
def test_macro_f1_equals_that_of_scikit_learn(seed, n_classes, n_rows):
    rng = np.random.default_rng(seed)
    predicted, target = rng.integers(0, n_classes, (2, n_rows))

    expected = reference.f1_score(target, predicted, average="macro")

    assert macro_f1(predicted, target, n_classes) == pytest.approx(expected)


@settings(max_examples=50)
@given(st.integers(0, 10_000), st.integers(4, 40))
def test_the_area_under_the_curve_counts_ties_half(seed, n_rows):
    rng = np.random.default_rng(seed)
    score = rng.integers(0, 4, n_rows).astype(float)
    positive = np.arange(n_rows) % 2 == rng.integers(0, 2)

    assert roc_auc(score, positive) == pytest.approx(reference.roc_auc_score(positive, score))
    assert pr_auc(score, positive) == pytest.approx(reference.average_precision_score(positive, score))


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(2, 5))
def test_balanced_accuracy_equals_that_of_scikit_learn(seed, n_classes):
    predicted, target = np.random.default_rng(seed).integers(0, n_classes, (2, 30))
    predicted = np.where(np.isin(predicted, target), predicted, target)  # it warns of a class that no row has

    expected = reference.balanced_accuracy_score(target, predicted)

    assert balanced_accuracy(predicted, target, n_classes) == pytest.approx(expected)


def test_the_area_of_one_class_is_not_defined():
    metrics = classification_metrics(np.log(np.full((3, 2), 0.5)), np.zeros(3, np.int64))

    assert np.isnan(metrics["roc_auc"])
    assert np.isnan(metrics["pr_auc"])
    assert metrics["loss"] == pytest.approx(np.log(2))


def test_regression_metrics_are_in_the_targets_units():
    metrics = regression_metrics(np.array([11.0, 19.0, 33.0]), np.array([10.0, 20.0, 30.0]), scale=10.0)

    assert metrics["rmse"] == pytest.approx((11 / 3) ** 0.5)
    assert metrics["mae"] == pytest.approx(5 / 3)
    assert metrics["loss"] == pytest.approx(11 / 300)
    assert metrics["r2"] == pytest.approx(1 - 11 / 200)


def test_r2_of_a_constant_target_is_not_defined():
    assert np.isnan(regression_metrics(np.array([1.0, 2.0]), np.array([3.0, 3.0]), scale=1.0)["r2"])


def test_the_part_stands_before_the_metric():
    assert prefixed("valid", {"loss": 1.0}) == {"val_loss": 1.0}
