"""The kind `torch` on data sets and loaders of people's own."""

import pytest
import torch
from tests.training.conftest import ignore, make_segment

from pegbox.schemas.errors import TrialError
from pegbox.schemas.train import ModuleTrain
from pegbox.training.torch_trainer import TorchTrainer

OWN = "tests.training.own_loaders"


def train(loaders, configuration, tmp_path, *, module="Linear", fields=None, **segment):
    spec = ModuleTrain(kind="torch", module=f"{OWN}:{module}", loaders=f"{OWN}:{loaders}", epochs=9, **(fields or {}))
    made = make_segment(configuration, train=spec, **segment)
    return made, TorchTrainer().train(made, None, tmp_path / "checkpoints", ignore)


def metrics(loaders, configuration, tmp_path, **told):
    segment, trained = train(loaders, configuration, tmp_path, to_budget=9, **told)
    return TorchTrainer().evaluate(segment, trained, None, "valid").metrics


@pytest.mark.parametrize(
    ("loaders", "module"), [("data_sets", "Linear"), ("cut", "Linear"), ("fixed", "Linear"), ("sentences", "Reader")]
)
def test_own_loaders_go_on_bit_for_bit(tmp_path, loaders, module):
    configuration = {"lr": 0.02, "lr_schedule": "cosine"}
    _, whole = train(loaders, configuration, tmp_path / "a", module=module, to_budget=5)
    _, first = train(loaders, configuration, tmp_path / "b", module=module, to_budget=2)
    torch.rand(5)
    on = {"from_budget": 2, "to_budget": 5, "checkpoint": first.checkpoint}
    _, rest = train(loaders, configuration, tmp_path / "b", module=module, **on)

    assert [one.metrics for one in whole.reports[2:]] == [one.metrics for one in rest.reports]


@pytest.mark.parametrize(
    ("loaders", "module"), [("data_sets", "Linear"), ("sentences", "Reader"), ("stream", "Linear")]
)
def test_classes_are_told_apart_whatever_the_batches_hold(tmp_path, loaders, module):
    found = metrics(loaders, {"lr": 0.1, "batch_size": 8}, tmp_path, module=module)

    assert found["val_accuracy"] > 0.9
    assert set(found) == {"val_loss", "val_accuracy", "parameters"}


def test_floating_targets_are_learnt_as_numbers(tmp_path):
    found = metrics("numbers", {"lr": 0.05, "batch_size": 8, "n_outputs": 1}, tmp_path)

    assert found["val_loss"] < 0.3
    assert "val_accuracy" not in found


def test_the_size_of_batches_goes_to_data_sets_and_to_loaders_that_take_it(tmp_path):
    _, small = train("cut", {"batch_size": 4}, tmp_path)
    _, large = train("cut", {"batch_size": 96}, tmp_path)

    assert small.reports[-1].metrics["train_loss"] < large.reports[-1].metrics["train_loss"]


def test_outputs_of_any_structure_are_for_a_loss_of_ones_own(tmp_path):
    found = metrics("data_sets", {"lr": 0.1}, tmp_path, module="TwoHeads", fields={"loss": f"{OWN}:both_heads"})

    assert set(found) == {"val_loss", "parameters"}


@pytest.mark.parametrize(
    ("loaders", "told", "says"),
    [
        ("three", {}, r"must return \(train, valid\).*got tuple of 3. A test part is measured of `data` alone"),
        ("lone", {}, "must return .* got TensorDataset"),
        ("used_up", {}, "begins anew each epoch"),
        ("nothing_to_learn", {}, r"a batch of 'train' must be \(inputs..., target\), or a mapping with one of"),
        ("empty", {}, "the part 'valid' of the loaders gave no batches"),
        ("numbers", {}, r"must have one shape, got \(64, 2\) and \(64, 1\)"),
        ("data_sets", {"module": "TwoHeads"}, "TwoHeads gave dict, and pegbox's own losses take one tensor"),
        ("absent", {}, "has no 'absent'"),
    ],
)
def test_loaders_that_cannot_be_used_are_refused_in_a_sentence(tmp_path, loaders, told, says):
    with pytest.raises(TrialError, match=says):
        train(loaders, {}, tmp_path, **told)


@pytest.mark.parametrize(
    ("loaders", "configuration", "says"),
    [
        ("fixed", {"batch_size": 4}, "batches that are cut already. Take batch_size there as an argument"),
        ("stream", {"lr_schedule": "cosine"}, "have no length, which a learning-rate schedule spans"),
        ("fixed", {"suffled": 1}, "nor the loop takes 'suffled'"),
    ],
)
def test_parameters_that_loaders_cannot_follow_are_refused(tmp_path, loaders, configuration, says):
    with pytest.raises(TrialError, match=says):
        train(loaders, configuration, tmp_path)
