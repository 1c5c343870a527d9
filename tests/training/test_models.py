"""The torch kinds: each learns, each continues bit for bit, each refuses data of another shape."""

import pytest
import torch
from tests.training.conftest import ignore, make_segment, make_splits

from pegbox.schemas.errors import TrialError
from pegbox.schemas.train import TorchTrain
from pegbox.training.hyperparameters.cnn import CnnHyperparameters
from pegbox.training.hyperparameters.transformer import TransformerHyperparameters
from pegbox.training.models.augmentation import augment
from pegbox.training.models.build import build_model
from pegbox.training.tensors import DataShape
from pegbox.training.torch_trainer import TorchTrainer

CONFIGURATIONS = {
    "cnn": {"channels": 4, "convolutions": 2, "dropout": 0.1, "shift": 1, "flip": True, "noise": 0.1, "head_units": 8},
    "resnet": {"units": 16, "dropout": 0.1, "residual_dropout": 0.1, "norm": "layer"},
    "rnn": {"units": 8, "layers": 2, "dropout": 0.1, "bidirectional": True},
    "transformer": {"heads": 2, "head_size": 4, "dropout": 0.1},
}
KINDS = sorted(CONFIGURATIONS)


def data_for(kind, tmp_path, **options):
    shape = (4, 4) if kind == "cnn" else (8, 2) if kind in {"rnn", "transformer"} else None
    return make_splits(tmp_path, n_numeric=16, shape=shape, **options)


def train(kind, configuration, data, tmp_path, epochs=9, **changes):
    segment = make_segment(configuration, train=TorchTrain(kind=kind, epochs=epochs), **changes)
    return TorchTrainer().train(segment, data, tmp_path / "checkpoints", ignore)


@pytest.mark.parametrize("kind", KINDS)
def test_three_and_six_epochs_equal_nine_bit_for_bit(tmp_path, kind):
    data = data_for(kind, tmp_path, cardinalities=(4,))

    whole = train(kind, CONFIGURATIONS[kind], data, tmp_path / "a", to_budget=9)
    first = train(kind, CONFIGURATIONS[kind], data, tmp_path / "b", to_budget=3)
    torch.rand(3)
    rest = train(
        kind, CONFIGURATIONS[kind], data, tmp_path / "b", from_budget=3, to_budget=9, checkpoint=first.checkpoint
    )

    assert [one.metrics for one in whole.reports[3:]] == [one.metrics for one in rest.reports]
    left, right = (torch.load(one.checkpoint, weights_only=True)["model"].values() for one in (whole, rest))
    assert all(torch.equal(a, b) for a, b in zip(left, right, strict=True))


LEARN = {
    "cnn": {"lr": 0.01, "batch_size": 32, "pooling": "none", "channels": 16},
    "resnet": {"lr": 0.005, "batch_size": 32, "units": 32},
    "rnn": {"lr": 0.02, "batch_size": 32, "units": 24},
    "transformer": {"lr": 0.005, "batch_size": 32, "heads": 2, "head_size": 8, "layers": 1},
}


@pytest.mark.parametrize("kind", ["resnet", "rnn", "transformer"])
def test_each_kind_learns_to_tell_two_classes(tmp_path, kind):
    data = data_for(kind, tmp_path, n_rows=400)

    trained = train(kind, LEARN[kind], data, tmp_path, epochs=25, to_budget=25)

    assert max(one.metrics["val_accuracy"] for one in trained.reports) > 0.85


def test_a_cnn_learns_digits(tmp_path):
    data = digits(tmp_path)

    trained = train("cnn", LEARN["cnn"], data, tmp_path, epochs=6, to_budget=6)

    assert trained.reports[-1].metrics["val_accuracy"] > 0.93


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_learns_a_number(tmp_path, kind):
    data = data_for(kind, tmp_path, task="regression", cardinalities=(4,))

    trained = train(kind, LEARN[kind], data, tmp_path, epochs=20, to_budget=20)

    assert trained.reports[-1].metrics["val_loss"] < trained.reports[0].metrics["val_loss"]


def test_a_cnn_refuses_data_that_are_no_images(tmp_path):
    with pytest.raises(TrialError, match=r"needs images, .* got examples of shape None in 6 numeric columns"):
        train("cnn", {}, make_splits(tmp_path), tmp_path, to_budget=1)


def test_a_sequence_model_reads_plain_columns_as_steps(tmp_path):
    assert train("rnn", {}, make_splits(tmp_path), tmp_path, to_budget=1).budget == 1


@pytest.mark.parametrize("example", [(8, 8), (3, 8, 8), (8, 8, 3), (1, 8, 8)])
def test_images_with_and_without_channels_are_read(example):
    n_numeric = torch.Size(example).numel()

    model = build_model(CnnHyperparameters(), DataShape(n_numeric, (), 5, example))

    assert model(torch.zeros(7, n_numeric)).shape == (7, 5)


def test_channels_that_stand_last_are_told_apart():
    images = torch.arange(2 * 8 * 8 * 3, dtype=torch.float32).view(2, 8, 8, 3)
    model = build_model(CnnHyperparameters(), DataShape(192, (), 5, (8, 8, 3)))
    seen = []
    model.blocks.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))

    model.eval()(images.view(2, -1))

    assert torch.equal(seen[0], images.permute(0, 3, 1, 2))


def test_a_cnn_stops_pooling_before_the_image_is_gone():
    settings = CnnHyperparameters(blocks=6, channels=2)

    assert build_model(settings, DataShape(16, (), 3, (4, 4)))(torch.zeros(2, 16)).shape == (2, 3)


@pytest.mark.parametrize("readout", ["mean", "token"])
def test_a_transformer_reads_out_one_vector(readout):
    settings = TransformerHyperparameters(readout=readout)

    assert build_model(settings, DataShape(16, (), 3, (8, 2)))(torch.zeros(5, 16)).shape == (5, 3)


def test_a_shift_moves_each_image_by_whole_pixels():
    torch.manual_seed(0)
    images = torch.zeros(200, 1, 7, 7)
    images[:, :, 3, 3] = 1

    moved = augment(images, shift=2, flip=False, noise=0.0)

    assert torch.equal(moved.sum(dim=(1, 2, 3)), torch.ones(200))
    assert {tuple(place) for place in moved[:, 0].nonzero()[:, 1:].tolist()} == {
        (row, column) for row in range(1, 6) for column in range(1, 6)
    }


def test_a_flip_mirrors_about_half_of_the_images():
    torch.manual_seed(0)
    images = torch.zeros(200, 1, 3, 3)
    images[:, :, 0, 0] = 1

    flipped = augment(images, shift=0, flip=True, noise=0.0)

    assert 70 < int(flipped[:, 0, 0, 2].sum()) < 130


def digits(tmp_path):
    import numpy as np
    from sklearn.datasets import load_digits

    from pegbox.schemas.arrays import Part, Splits
    from pegbox.schemas.data import PreparedData

    pixels, target = load_digits(return_X_y=True)
    pixels = ((pixels - pixels.mean()) / pixels.std()).astype(np.float32)
    none = np.zeros((len(pixels), 0), np.int64)
    info = PreparedData(
        path=tmp_path,
        fingerprint="digits",
        task="classification",
        n_folds=1,
        n_rows={"train": 1400, "valid": 397},
        numeric=tuple(map(str, range(64))),
        classes=tuple(map(str, range(10))),
        shape=(8, 8),
    )
    return Splits(info, *(Part(pixels[one], none[one], target[one]) for one in (slice(1400), slice(1400, None))))
