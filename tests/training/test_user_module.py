"""The kind `torch`: modules of people's own, trained with pegbox's loop."""

import pytest
import torch
from tests.training.conftest import ignore, make_segment, make_splits

from pegbox.schemas.errors import TrialError
from pegbox.schemas.train import ModuleTrain
from pegbox.training.torch_trainer import TorchTrainer

OWN = "tests.training.own_modules"


def module(name, **fields):
    return ModuleTrain(kind="torch", module=f"{OWN}:{name}", epochs=9, **fields)


def train(name, configuration, data, tmp_path, *, spec=None, **segment):
    made = make_segment(configuration, train=spec or module(name), **segment)
    return made, TorchTrainer().train(made, data, tmp_path / "checkpoints", ignore)


def metrics(name, configuration, data, tmp_path, **fields):
    segment, trained = train(name, configuration, data, tmp_path, spec=module(name, **fields), to_budget=9)
    return TorchTrainer().evaluate(segment, trained, data, "valid").metrics


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("name", ["Net", "Noisy"])
def test_a_module_goes_on_bit_for_bit(tmp_path, name, optimizer):
    data = make_splits(tmp_path)
    configuration = {"width": 12, "lr": 0.01, "optimizer": optimizer, "clip": 1.0, "lr_schedule": "cosine"}

    _, whole = train(name, configuration, data, tmp_path / "a", to_budget=5)
    _, first = train(name, configuration, data, tmp_path / "b", to_budget=2)
    torch.rand(5)
    on = {"from_budget": 2, "to_budget": 5, "checkpoint": first.checkpoint}
    _, rest = train(name, configuration, data, tmp_path / "b", **on)

    assert [one.metrics for one in whole.reports[2:]] == [one.metrics for one in rest.reports]


def test_a_module_learns_and_is_measured_by_what_its_study_names(tmp_path):
    data = make_splits(tmp_path, n_rows=400)

    found = metrics("Net", {"lr": 0.05, "width": 16}, data, tmp_path, metrics={"right": f"{OWN}:share_right"})

    assert found["val_accuracy"] > 0.9
    assert found["val_right"] == pytest.approx(found["val_accuracy"])
    assert found["parameters"] == 6 * 16 + 16 + 2 * 16 + 16 * 2 + 2


def test_a_factory_may_give_one_number_a_row_in_the_units_of_the_target(tmp_path):
    data = make_splits(tmp_path, task="regression", n_rows=400)

    found = metrics("number", {"lr": 0.05, "width": 16}, data, tmp_path, metrics={"worst": f"{OWN}:worst"})

    assert found["val_r2"] > 0.9
    assert found["val_mae"] < found["val_worst"] < 60


def test_lazy_layers_find_their_sizes(tmp_path):
    assert metrics("lazy", {"width": 4}, make_splits(tmp_path), tmp_path)["parameters"] == 6 * 4 + 4 + 4 * 2 + 2


def test_images_keep_their_shape(tmp_path):
    data = make_splits(tmp_path, n_numeric=48, shape=(3, 4, 4))

    assert metrics("convolution", {"width": 2}, data, tmp_path)["parameters"] == 3 * 2 * 9 + 2 + 32 * 2 + 2


def test_who_asks_for_columns_alone_is_given_flat_rows(tmp_path):
    data = make_splits(tmp_path, n_numeric=48, shape=(3, 4, 4))

    assert metrics("Net", {"width": 2}, data, tmp_path)["parameters"] == 48 * 2 + 2 + 4 + 6


def test_categories_come_as_columns_or_as_codes_for_a_module_that_takes_cardinalities(tmp_path):
    data = make_splits(tmp_path, cardinalities=(4, 3))

    as_columns = metrics("Net", {"width": 2}, data, tmp_path)
    as_codes = metrics("Coded", {}, data, tmp_path)

    assert as_columns["parameters"] == (6 + 4 + 3) * 2 + 2 + 4 + 6
    assert as_codes["parameters"] == 4 * 7 + (6 + 8) * 2 + 2


def test_a_module_of_any_arguments_is_given_the_parameters_alone(tmp_path):
    assert metrics("Anything", {"units": 5, "lr": 0.01}, make_splits(tmp_path), tmp_path)["parameters"] == 35


def test_a_loss_takes_its_own_parameters_and_is_what_is_measured(tmp_path):
    data, loss = make_splits(tmp_path), f"{OWN}:focal"

    plain = metrics("Net", {"gamma": 0.0}, data, tmp_path / "a", loss=loss)
    sharp = metrics("Net", {"gamma": 4.0}, data, tmp_path / "b", loss=loss)
    default = metrics("Net", {}, data, tmp_path / "c")

    assert plain["val_loss"] == pytest.approx(default["val_loss"], rel=1e-5)
    assert sharp["val_loss"] < plain["val_loss"] / 2


def test_a_loss_of_torch_is_made(tmp_path):
    found = metrics("Net", {"label_smoothing": 0.2}, make_splits(tmp_path), tmp_path, loss="torch.nn:CrossEntropyLoss")

    assert found["val_loss"] > 0.2


def test_mixed_precision_and_patience_hold_for_a_module(tmp_path):
    spec = module("Net", precision="mixed", patience=1)
    _, trained = train("Net", {"lr": 5.0}, make_splits(tmp_path), tmp_path, spec=spec, to_budget=9)

    assert trained.stopped_early


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Tuple", r"Tuple was given rows of shape \(6,\).* must return one tensor of shape \(64, 2\), got tuple of 2"),
        ("Mapping", "got dict of logits, hidden"),
        ("Wide", r"must return shape \(64, 2\), rows and outputs, got shape \(64, 4\)"),
        ("Fewer", r"got shape \(1, 2\)"),
        ("Codes", "scores as floating-point numbers, got torch.int64"),
        ("Chance", "gave two answers for the same rows in eval mode, up to"),
        ("Clock", "gave two answers"),
        ("Counting", "gave two answers"),
        ("Weightless", "without any weights to train"),
        ("no_module", "must make a torch.nn.Module, got <function"),
        ("MADE", "is a module that is made already"),
        ("Absent", "has no 'Absent'"),
    ],
)
def test_a_module_that_cannot_be_trained_is_refused_in_a_sentence(tmp_path, name, says):
    with pytest.raises(TrialError, match=says):
        train(name, {}, make_splits(tmp_path), tmp_path)


def test_a_module_of_another_shape_each_time_cannot_go_on(tmp_path):
    data = make_splits(tmp_path)
    _, first = train("ShapeOfTheDay", {}, data, tmp_path, to_budget=2)

    with pytest.raises(TrialError, match=r"made another network.*last\.weight"):
        train("ShapeOfTheDay", {}, data, tmp_path, from_budget=2, to_budget=3, checkpoint=first.checkpoint)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"loss": f"{OWN}:rows"}, r"must give a tensor of one number for a batch, got shape \(64,\)"),
        ({"loss": f"{OWN}:detached"}, "does not depend on the outputs"),
        ({"loss": f"{OWN}:Learning"}, "has weights of its own"),
        ({"metrics": {"mine": f"{OWN}:no_number"}}, "must give a number for 'mine'"),
        ({"metrics": {"mine": f"{OWN}:breaks"}}, r"breaks raised KeyError: 'alas', given outputs of shape \(60, 2\)"),
    ],
)
def test_a_loss_or_metric_that_cannot_be_used_is_refused_in_a_sentence(tmp_path, fields, says):
    with pytest.raises(TrialError, match=says):
        train("Net", {}, make_splits(tmp_path), tmp_path, spec=module("Net", **fields))


@pytest.mark.parametrize(
    ("name", "configuration", "says"),
    [
        (
            "Net",
            {"widht": 3},
            "neither tests.training.own_modules:Net nor the loop takes 'widht'. Did you mean 'width'",
        ),
        ("number", {}, "number needs 'width', which is neither in the space nor offered here"),
        ("Net", {"batch_size": 0}, "batch_size: Input should be greater than or equal to 1"),
    ],
)
def test_names_that_do_not_fit_are_told(tmp_path, name, configuration, says):
    with pytest.raises(TrialError, match=says):
        train(name, configuration, make_splits(tmp_path), tmp_path)


def test_classes_are_not_offered_where_numbers_are_learnt(tmp_path):
    with pytest.raises(TrialError, match="needs 'n_classes'"):
        train("Net", {}, make_splits(tmp_path, task="regression"), tmp_path)
