"""A metric row by row: its mean is the metric, and it is found again beside the checkpoint."""

import numpy as np
import pytest
from tests.training.conftest import ignore, make_segment, make_splits

from pegbox.schemas.plan import Objective
from pegbox.schemas.row_losses import RowLosses
from pegbox.schemas.train import SklearnTrain
from pegbox.training.metrics import classification_metrics, regression_metrics
from pegbox.training.row_losses import read_row_losses, rows_as_losses, rows_of_classes, rows_of_numbers
from pegbox.training.sklearn_trainer import SklearnTrainer
from pegbox.training.torch_trainer import TorchTrainer

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("metric", ["loss", "accuracy", "balanced_accuracy", "f1", "roc_auc"])
def test_mean_over_rows_is_the_metric_of_classes(metric):
    target = RNG.integers(0, 2, size=300)
    logits = RNG.normal(size=(300, 2)) + 1.5 * np.eye(2)[target]
    log_probabilities = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)

    rows = rows_of_classes(metric, log_probabilities, target)

    assert rows.mean() == pytest.approx(classification_metrics(log_probabilities, target)[metric], abs=2e-3)
    assert rows.std() > 0


@pytest.mark.parametrize("metric", ["loss", "mae", "rmse", "r2"])
def test_mean_over_rows_is_the_metric_of_numbers(metric):
    target = RNG.normal(size=300)
    predicted = target + 0.3 * RNG.normal(size=300)

    rows = rows_of_numbers(metric, predicted, target, 1.3)

    assert rows.mean() == pytest.approx(regression_metrics(predicted, target, 1.3)[metric], abs=2e-3)


def test_metric_that_is_not_measured_has_no_rows():
    assert rows_of_numbers("sharpe", np.zeros(4), np.ones(4), 1.0) is None


@pytest.mark.parametrize("kind", ["torch", "sklearn"])
def test_fresh_seed_keeps_the_losses_of_its_rows(tmp_path, kind):
    data = make_splits(tmp_path)
    own = (
        {"train": SklearnTrain(kind="sklearn", estimator="sklearn.naive_bayes:GaussianNB")} if kind == "sklearn" else {}
    )
    segment = make_segment({}, to_budget=1, **own).model_copy(update={"replicate": 0, "objectives": ("val_accuracy",)})
    trainer = SklearnTrainer() if kind == "sklearn" else TorchTrainer()
    trained = trainer.train(segment, data, tmp_path / "checkpoints", ignore)

    searched = trainer.evaluate(segment.model_copy(update={"replicate": None}), trained, data, "valid")
    fresh = trainer.evaluate(segment, trained, data, "valid")

    assert searched.rows == ()
    (path,) = fresh.rows
    assert path.stem == trained.checkpoint.stem  # garbage collection keeps both or none
    kept = read_row_losses(path)
    assert kept.values.mean() == pytest.approx(fresh.metrics["val_accuracy"])
    assert (kept.n_rows, kept.n_train) == (len(data.valid), len(data.train))


def test_losses_that_are_gone_or_damaged_are_none(tmp_path):
    (tmp_path / "damaged.npz").write_bytes(b"PK\x03\x04 no archive")

    assert read_row_losses(tmp_path / "gone.npz") is None
    assert read_row_losses(tmp_path / "damaged.npz") is None


def test_folds_are_put_together_as_losses():
    folds = [RowLosses(np.array([1.0, 0.0]), 2, 6, "a/0"), RowLosses(np.array([1.0]), 1, 8, "a/1")]

    together = rows_as_losses(folds, Objective(metric="accuracy", goal="maximize"))

    assert together.values.tolist() == [-1.0, 0.0, -1.0]
    assert (together.n_rows, together.n_train, together.data) == (3, 7, "a/0 a/1")
