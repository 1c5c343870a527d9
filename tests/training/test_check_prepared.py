"""What is said of a study once its data is known."""

import pytest
from tests.training.conftest import make_splits

from pegbox.schemas.study import StudySpec
from pegbox.training.check_prepared import check_prepared


def problems(data, train, metric="val_loss"):
    raw = {
        "name": "s",
        "data": {"source": "sklearn:digits", "target": "target"},
        "train": train,
        "space": {"lr": 0.1},
        "objective": {"metric": metric},
        "budget": {"trials": 1},
    }
    return [(".".join(map(str, one.path)), one.message) for one in check_prepared(StudySpec.model_validate(raw), data)]


def prepared(tmp_path, **options):
    return make_splits(tmp_path, **options).info


def test_a_study_that_fits_its_data_has_no_problem(tmp_path):
    data = prepared(tmp_path, n_numeric=16, shape=(4, 4))

    assert problems(data, {"kind": "cnn", "task": "classification"}, "val_roc_auc") == []


@pytest.mark.parametrize(
    ("options", "train", "metric", "path", "message"),
    [
        ({"task": "regression"}, {"kind": "mlp", "task": "classification"}, "val_loss", "train.task", "regression"),
        ({"task": "regression"}, {"kind": "mlp"}, "val_accuracy", "objective.metric", "with a numeric target"),
        ({}, {"kind": "mlp"}, "val_rmse", "objective.metric", "with 2 classes, 'val_rmse' is not measured"),
        ({}, {"kind": "cnn"}, "val_loss", "train.kind", "needs images, got examples of shape None"),
        (
            {"n_numeric": 8, "shape": (2, 2, 2)},
            {"kind": "rnn"},
            "val_loss",
            "train.kind",
            "needs sequences of numbers, got shape (2, 2, 2)",
        ),
        (
            {},
            {"kind": "sklearn", "estimator": "sklearn.svm:SVC"},
            "parameters",
            "objective.metric",
            "'parameters' is not measured",
        ),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, options, train, metric, path, message):
    (found,) = problems(prepared(tmp_path, **options), train, metric)

    assert found[0] == path
    assert message in found[1]


def test_the_area_under_the_curve_needs_two_classes(tmp_path):
    data = prepared(tmp_path).model_copy(update={"classes": ("a", "b", "c")})

    (found,) = problems(data, {"kind": "mlp"}, "val_roc_auc")

    assert "with 3 classes, 'val_roc_auc' is not measured" in found[1]
