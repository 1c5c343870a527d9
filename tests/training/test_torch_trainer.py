"""The torch trainer: what it reports, keeps, continues and refuses."""

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from tests.training.conftest import ignore, make_segment, make_splits

from pegbox.schemas.errors import DataError, TrialError
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.train import TorchTrain
from pegbox.training.loop import class_weights
from pegbox.training.tensors import fold_tensors
from pegbox.training.torch_trainer import TorchTrainer

RICH = {
    "batch_size": 16,
    "units": 24,
    "dropout": 0.3,
    "norm": "batch",
    "lr_schedule": "cosine",
    "warmup": 0.2,
    "clip": 1.0,
    "label_smoothing": 0.1,
}


def train(segment, data, tmp_path, report=ignore):
    return TorchTrainer().train(segment, data, tmp_path / "checkpoints", report)


def weights_of(trained):
    return torch.load(trained.checkpoint, weights_only=True)["model"]


def test_each_epoch_reports_losses_accuracy_and_lr(tmp_path):
    seen = []

    trained = train(make_segment(to_budget=3), make_splits(tmp_path), tmp_path, lambda step, _: seen.append(step))

    assert seen == [1, 2, 3]
    assert [report.step for report in trained.reports] == [1, 2, 3]
    assert set(trained.reports[0].metrics) == {"train_loss", "val_loss", "val_accuracy", "lr"}


def test_an_mlp_learns_to_tell_two_classes(tmp_path):
    data = make_splits(tmp_path, n_rows=400)
    segment = make_segment({"lr": 0.01, "batch_size": 32}, to_budget=20, train=TorchTrain(kind="mlp", epochs=20))

    trained = train(segment, data, tmp_path)
    evaluation = TorchTrainer().evaluate(segment, trained, data, "test")

    assert evaluation.metrics["test_accuracy"] > 0.9
    assert evaluation.metrics["test_roc_auc"] > 0.95
    measured = {"loss", "accuracy", "balanced_accuracy", "f1", "roc_auc", "pr_auc"}
    assert set(evaluation.metrics) == {*(f"test_{name}" for name in measured), "parameters"}


def test_balanced_classes_weigh_as_scikit_learn_has_it(tmp_path):
    data = make_splits(tmp_path, n_rows=400)
    fold = fold_tensors(data, 0, torch.device("cpu"))
    reference = compute_class_weight("balanced", classes=np.array([0, 1]), y=np.asarray(data.train.target))

    assert class_weights(fold).tolist() == pytest.approx(reference.tolist())


def test_balanced_classes_change_what_is_learned(tmp_path):
    data = make_splits(tmp_path)
    plain, balanced = (
        train(make_segment({"class_weights": name}, to_budget=1), data, tmp_path) for name in ("none", "balanced")
    )

    assert plain.reports[0].metrics["train_loss"] != balanced.reports[0].metrics["train_loss"]


def test_an_mlp_learns_a_number_in_its_own_units(tmp_path):
    data = make_splits(tmp_path, task="regression", n_rows=400)
    segment = make_segment({"lr": 0.01, "batch_size": 32}, to_budget=30, train=TorchTrain(kind="mlp", epochs=30))

    trained = train(segment, data, tmp_path)
    evaluation = TorchTrainer().evaluate(segment, trained, data, "valid")

    assert evaluation.metrics["val_r2"] > 0.95
    assert 0 < evaluation.metrics["val_rmse"] < 4
    assert evaluation.metrics["val_rmse"] == pytest.approx(trained.reports[-1].metrics["val_rmse"], rel=1e-4)


@pytest.mark.parametrize("categories", ["embedding", "onehot"])
def test_a_category_that_decides_is_learnt(tmp_path, categories):
    data = make_splits(tmp_path, task="regression", n_rows=400, cardinalities=(8, 3))
    train_spec = TorchTrain(kind="mlp", epochs=30)
    segment = make_segment({"lr": 0.01, "batch_size": 32, "categories": categories}, to_budget=30, train=train_spec)

    trained = train(segment, data, tmp_path)

    assert trained.reports[-1].metrics["val_r2"] > 0.9


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "nadam", "radam", "sgd", "rmsprop", "adagrad"])
def test_three_and_six_epochs_equal_nine_bit_for_bit(tmp_path, optimizer):
    data = make_splits(tmp_path)
    configuration = RICH | {"optimizer": optimizer}

    whole = train(make_segment(configuration, to_budget=9), data, tmp_path / "a")
    first = train(make_segment(configuration, to_budget=3), data, tmp_path / "b")
    torch.rand(5)
    rest = train(
        make_segment(configuration, from_budget=3, to_budget=9, checkpoint=first.checkpoint), data, tmp_path / "b"
    )

    assert [report.metrics for report in whole.reports[3:]] == [report.metrics for report in rest.reports]
    assert all(torch.equal(a, b) for a, b in zip(weights_of(whole).values(), weights_of(rest).values(), strict=True))
    assert not rest.restarted


def test_a_continued_trial_keeps_its_patience(tmp_path):
    data = make_splits(tmp_path)
    patient = TorchTrain(kind="mlp", epochs=200, patience=4)
    configuration = {"lr": 0.05, "batch_size": 8}

    whole = train(make_segment(configuration, to_budget=200, train=patient), data, tmp_path / "a")
    cut = whole.budget - 2
    first = train(make_segment(configuration, to_budget=cut, train=patient), data, tmp_path / "b")
    rest = train(
        make_segment(configuration, from_budget=cut, to_budget=200, checkpoint=first.checkpoint, train=patient),
        data,
        tmp_path / "b",
    )

    assert whole.stopped_early
    assert whole.budget < 200
    assert (rest.stopped_early, rest.budget) == (True, whole.budget)


def test_patience_evaluates_the_best_epoch(tmp_path):
    data = make_splits(tmp_path)
    patient = TorchTrain(kind="mlp", epochs=200, patience=4)
    segment = make_segment({"lr": 0.05, "batch_size": 8}, to_budget=200, train=patient)

    trained = train(segment, data, tmp_path)
    evaluation = TorchTrainer().evaluate(segment, trained, data, "valid")

    best = min(report.metrics["val_loss"] for report in trained.reports)
    assert evaluation.metrics["val_loss"] == pytest.approx(best, rel=1e-5)
    assert evaluation.metrics["val_loss"] < trained.reports[-1].metrics["val_loss"]


def test_equal_seeds_give_equal_weights_and_others_do_not(tmp_path):
    data = make_splits(tmp_path)

    first = train(make_segment(RICH), data, tmp_path / "a")
    again = train(make_segment(RICH), data, tmp_path / "b")
    other = train(make_segment(RICH, seed=2), data, tmp_path / "c")

    assert first.reports == again.reports
    assert first.reports != other.reports


def test_a_checkpoint_is_named_by_its_content_key(tmp_path):
    data = make_splits(tmp_path)
    segment = make_segment()

    trained = train(segment, data, tmp_path)

    assert trained.checkpoint.name == f"{segment.content_key(data.info.fingerprint)}.pt"
    assert [path.name for path in trained.checkpoint.parent.iterdir()] == [trained.checkpoint.name]


def test_a_loss_that_is_not_finite_is_diverged(tmp_path):
    segment = make_segment({"lr": 1e30, "optimizer": "sgd"}, to_budget=5)

    with pytest.raises(TrialError, match="train_loss became") as raised:
        train(segment, make_splits(tmp_path, task="regression"), tmp_path)

    assert raised.value.failure.kind is FailureKind.DIVERGED


def test_a_checkpoint_cut_in_half_is_refused(tmp_path):
    data = make_splits(tmp_path)
    first = train(make_segment(), data, tmp_path)
    first.checkpoint.write_bytes(first.checkpoint.read_bytes()[:500])

    with pytest.raises(TrialError, match="is damaged") as raised:
        train(make_segment(from_budget=2, to_budget=4, checkpoint=first.checkpoint), data, tmp_path)

    assert raised.value.failure.kind is FailureKind.INVALID


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    data = make_splits(tmp_path)
    first = train(make_segment({"units": 8}), data, tmp_path)

    with pytest.raises(TrialError, match="holds another model"):
        train(make_segment({"units": 16}, from_budget=2, to_budget=4, checkpoint=first.checkpoint), data, tmp_path)


def test_a_missing_checkpoint_restarts_from_zero_and_says_so(tmp_path):
    data = make_splits(tmp_path)

    trained = train(
        make_segment(RICH, from_budget=2, to_budget=4, checkpoint=tmp_path / "gone.pt"), data, tmp_path / "a"
    )
    whole = train(make_segment(RICH, to_budget=4), data, tmp_path / "b")

    assert trained.restarted
    assert trained.reports == whole.reports


def test_units_that_contradict_layers_are_invalid(tmp_path):
    segment = make_segment({"units": (8, 8), "layers": 3})

    with pytest.raises(TrialError, match="units gives 2 widths for layers=3") as raised:
        train(segment, make_splits(tmp_path), tmp_path)

    assert raised.value.failure.kind is FailureKind.INVALID


def test_one_width_a_layer_shapes_the_network(tmp_path):
    trained = train(make_segment({"units": (8, 4)}), make_splits(tmp_path), tmp_path)

    assert [tuple(weight.shape) for weight in weights_of(trained).values()] == [
        (8, 6),
        (8,),
        (4, 8),
        (4,),
        (2, 4),
        (2,),
    ]


def test_a_last_batch_of_one_row_does_not_break_batch_norm(tmp_path):
    data = make_splits(tmp_path, n_rows=33)

    trained = train(make_segment({"batch_size": 16, "norm": "batch"}), data, tmp_path)

    assert trained.budget == 2


def test_another_task_than_the_data_has_is_refused(tmp_path):
    segment = make_segment(train=TorchTrain(kind="mlp", epochs=9, task="regression"))

    with pytest.raises(DataError, match="the target is one of classification"):
        train(segment, make_splits(tmp_path), tmp_path)


@pytest.mark.parametrize("device", ["cuda", "mps", "xpu"])
def test_a_device_that_is_not_there_is_refused(tmp_path, monkeypatch, device):
    monkeypatch.setattr(torch.get_device_module(device), "device_count", lambda: 0)
    segment = make_segment(train=TorchTrain(kind="mlp", epochs=9, device=device))

    with pytest.raises(TrialError, match=f"device is {device}, but torch .* sees none here"):
        train(segment, make_splits(tmp_path), tmp_path)


def test_mixed_precision_trains_where_it_is_asked_for(tmp_path):
    data = make_splits(tmp_path, n_rows=400)
    mixed = TorchTrain(kind="mlp", epochs=9, precision="mixed")

    trained = train(make_segment({"lr": 0.01}, to_budget=9, train=mixed), data, tmp_path)
    plain = train(make_segment({"lr": 0.01}, to_budget=9), data, tmp_path / "plain")

    assert trained.reports[-1].metrics["val_accuracy"] > 0.85
    assert trained.reports != plain.reports
