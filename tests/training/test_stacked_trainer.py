"""Trials that train together: each gets what training alone gives it, within floating-point tolerance."""

import re

import pytest
import torch
from tests.training.conftest import ignore, make_segment, make_splits

from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.train import FunctionTrain, ModuleTrain, TorchTrain
from pegbox.training.stack_check import why_not_stacked
from pegbox.training.stack_shape import batch_key
from pegbox.training.stacked_trainer import speedup, train_together
from pegbox.training.torch_trainer import TorchTrainer

SHARED = {"units": 12, "batch_size": 16}
OWN = [
    {"lr": 0.01, "dropout": 0.3, "weight_decay": 0.1, "label_smoothing": 0.1, "class_weights": "balanced"},
    {"lr": 0.003, "lr_schedule": "cosine", "warmup": 0.2, "clip": 0.5},
    {"lr": 0.03, "dropout": 0.1, "momentum": 0.5, "nesterov": True, "beta1": 0.8},
]


def segments_for(shared, own=OWN, **changes):
    return [make_segment(shared | one, seed=seed, trial=seed, **changes) for seed, one in enumerate(own)]


def together(segments, data, tmp_path):
    return train_together(segments, data, tmp_path / "together", [ignore] * len(segments))


def alone(segment, data, tmp_path):
    return TorchTrainer().train(segment, data, tmp_path / "alone", ignore)


def assert_equal(left, right):
    assert [one.step for one in left.reports] == [one.step for one in right.reports]
    for ours, theirs in zip(left.reports, right.reports, strict=True):
        assert ours.metrics == pytest.approx(theirs.metrics, rel=2e-3, abs=1e-5)
    states = [torch.load(one.checkpoint, weights_only=True) for one in (left, right)]
    for name, weight in states[0]["model"].items():
        torch.testing.assert_close(weight, states[1]["model"][name], rtol=1e-3, atol=1e-4)
    assert torch.equal(states[0]["random"]["order"], states[1]["random"]["order"])
    assert torch.equal(states[0]["random"]["process"], states[1]["random"]["process"])


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd"])
@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
def test_a_stack_gives_what_training_alone_gives(tmp_path, optimizer, norm):
    data = make_splits(tmp_path)
    segments = segments_for(SHARED | {"optimizer": optimizer, "norm": norm}, to_budget=3)

    answers = together(segments, data, tmp_path)

    for segment, answer in zip(segments, answers, strict=True):
        assert_equal(answer, alone(segment, data, tmp_path))


def test_linear_models_are_stacked_too(tmp_path):
    data = make_splits(tmp_path)
    segments = segments_for({"layers": 0, "batch_size": 16})

    answers = together(segments, data, tmp_path)

    for segment, answer in zip(segments, answers, strict=True):
        assert_equal(answer, alone(segment, data, tmp_path))


@pytest.mark.parametrize("categories", ["embedding", "onehot"])
def test_a_stack_reads_tables_with_categories(tmp_path, categories):
    data = make_splits(tmp_path, task="regression", cardinalities=(5, 3))
    segments = segments_for(SHARED | {"categories": categories}, to_budget=3)

    answers = together(segments, data, tmp_path)

    for segment, answer in zip(segments, answers, strict=True):
        assert_equal(answer, alone(segment, data, tmp_path))


@pytest.mark.parametrize("norm", ["none", "batch"])
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_networks_of_other_widths_share_a_stack(tmp_path, optimizer, norm):
    data = make_splits(tmp_path)
    own = [one | {"units": units} for one, units in zip(OWN, [(9, 12), (16, 10), (12, 12)], strict=True)]
    shared = {"batch_size": 16, "optimizer": optimizer, "norm": norm}
    firsts = together(segments_for(shared, own, to_budget=2), data, tmp_path)
    rests = [
        segment.model_copy(update={"checkpoint": first.checkpoint})
        for segment, first in zip(segments_for(shared, own, from_budget=2, to_budget=4), firsts, strict=True)
    ]

    answers = together(rests, data, tmp_path)

    for segment, first, answer in zip(segments_for(shared, own, to_budget=4), firsts, answers, strict=True):
        assert_equal(
            answer.model_copy(update={"reports": first.reports + answer.reports}), alone(segment, data, tmp_path)
        )


@pytest.mark.parametrize("activation", ["gelu", "silu", "tanh", "elu", "leaky_relu", "selu", "mish"])
def test_every_activation_leaves_the_filling_at_zero(tmp_path, activation):
    data = make_splits(tmp_path)
    own = [{"units": 9, "lr": 0.01}, {"units": 16, "dropout": 0.2}]
    segments = segments_for({"batch_size": 16, "activation": activation}, own)

    answers = together(segments, data, tmp_path)

    for segment, answer in zip(segments, answers, strict=True):
        assert_equal(answer, alone(segment, data, tmp_path))


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_segment_continues_alone_and_in_a_stack(tmp_path, optimizer):
    data = make_splits(tmp_path)
    shared = SHARED | {"optimizer": optimizer, "norm": "batch"}
    firsts = together(segments_for(shared, to_budget=3), data, tmp_path)
    rests = [
        segment.model_copy(update={"checkpoint": first.checkpoint})
        for segment, first in zip(segments_for(shared, from_budget=3, to_budget=6), firsts, strict=True)
    ]

    answers = together(rests, data, tmp_path)

    for segment, rest, answer in zip(segments_for(shared, to_budget=6), rests, answers, strict=True):
        whole = alone(segment, data, tmp_path)
        whole = whole.model_copy(update={"reports": whole.reports[3:]})
        assert_equal(answer, whole)
        assert_equal(alone(rest, data, tmp_path), whole)


def test_a_trial_that_diverges_costs_no_other(tmp_path):
    data = make_splits(tmp_path, task="regression")
    own = [{"lr": 0.01}, {"lr": 1e30}, {"lr": 0.02}]
    segments = segments_for(SHARED | {"optimizer": "sgd"}, own, to_budget=4)

    first, failed, last = together(segments, data, tmp_path)

    assert isinstance(failed, Failure)
    assert failed.kind is FailureKind.DIVERGED
    assert_equal(first, alone(segments[0], data, tmp_path))
    assert_equal(last, alone(segments[2], data, tmp_path))


def test_each_trial_keeps_its_own_patience(tmp_path):
    data = make_splits(tmp_path)
    own = [{"lr": 0.1}, {"lr": 0.0001}]
    patient = TorchTrain(kind="mlp", epochs=25, patience=3)
    segments = segments_for(SHARED, own, to_budget=25, train=patient)

    answers = together(segments, data, tmp_path)

    assert [answer.stopped_early for answer in answers] == [True, False]
    for segment, answer in zip(segments, answers, strict=True):
        expected = alone(segment, data, tmp_path)
        assert answer.budget == expected.budget
        values = [TorchTrainer().evaluate(segment, one, data, "valid").metrics for one in (answer, expected)]
        assert values[0] == pytest.approx(values[1], rel=2e-3)


def test_measuring_the_speed_changes_no_result(tmp_path):
    data = make_splits(tmp_path)
    segments = segments_for(SHARED)

    assert speedup(segments, data) > 0
    for segment, answer in zip(segments, together(segments, data, tmp_path), strict=True):
        assert_equal(answer, alone(segment, data, tmp_path))


def test_reports_come_to_their_own_trial(tmp_path):
    data = make_splits(tmp_path)
    seen = [[], []]
    reports = [lambda step, _, own=own: own.append(step) for own in seen]

    train_together(segments_for(SHARED, OWN[:2]), data, tmp_path, reports)

    assert seen == [[1, 2], [1, 2]]


def test_trials_of_one_shape_share_a_key():
    first, second = segments_for(SHARED, OWN[:2])

    assert batch_key(first) == batch_key(second) is not None


def test_widths_up_to_the_same_power_of_two_share_a_key():
    narrow, wide, wider = (batch_key(make_segment({"units": units})) for units in (17, 32, 33))

    assert narrow == wide
    assert wide != wider


def test_with_layer_norms_only_equal_widths_share_a_key():
    first, second = (batch_key(make_segment({"units": units, "norm": "layer"})) for units in (17, 32))

    assert first != second


@pytest.mark.parametrize(
    "configuration", [{"units": 17}, {"layers": 3}, {"batch_size": 17}, {"norm": "batch"}, {"optimizer": "sgd"}]
)
def test_trials_of_another_shape_have_another_key(configuration):
    assert batch_key(make_segment(SHARED | configuration)) != batch_key(make_segment(SHARED))


def test_what_cannot_be_stacked_has_no_key():
    assert batch_key(make_segment({"optimizer": "rmsprop"})) is None
    assert batch_key(make_segment({"units": "many"})) is None
    assert batch_key(make_segment(train=TorchTrain(kind="resnet"))) is None
    assert batch_key(make_segment(train=FunctionTrain(kind="function", function="a:b"))) is None


OF_LOOP = [
    {"lr": 0.01, "weight_decay": 0.1, "label_smoothing": 0.1, "class_weights": "balanced"},
    {"lr": 0.003, "lr_schedule": "cosine", "warmup": 0.2, "clip": 0.5},
]
PLAIN = {"width": 8, "batch_size": 16}


def modules_for(name, shared=PLAIN, own=OF_LOOP, *, spec=None, **changes):
    train = ModuleTrain(kind="torch", module=f"tests.training.own_modules:{name}", epochs=9, **(spec or {}))
    return segments_for(shared, own, train=train, **changes)


@pytest.mark.parametrize(("name", "optimizer"), [("lazy", "adamw"), ("Net", "sgd")])  # Net: a batch norm, and a lambda
def test_modules_of_people_are_stacked_and_go_on_alone(tmp_path, name, optimizer):
    data = make_splits(tmp_path)
    shared = PLAIN | {"optimizer": optimizer} | ({"dropout": 0.0} if name == "Net" else {})
    firsts = together(modules_for(name, shared, to_budget=2), data, tmp_path)
    rests = [
        segment.model_copy(update={"checkpoint": first.checkpoint})
        for segment, first in zip(modules_for(name, shared, from_budget=2, to_budget=4), firsts, strict=True)
    ]

    answers = together(rests, data, tmp_path)

    for segment, rest, answer in zip(modules_for(name, shared, to_budget=4), rests, answers, strict=True):
        whole = alone(segment, data, tmp_path)
        whole = whole.model_copy(update={"reports": whole.reports[2:]})
        assert_equal(answer, whole)
        assert_equal(alone(rest, data, tmp_path), whole)


def test_rounding_that_adam_magnifies_stays_small(tmp_path):
    """A bias before a batch norm has no gradient but rounding, which Adam takes steps of the full rate by."""
    data = make_splits(tmp_path)
    segments = modules_for("Net", PLAIN | {"dropout": 0.0}, to_budget=4)

    for segment, answer in zip(segments, together(segments, data, tmp_path), strict=True):
        expected = alone(segment, data, tmp_path).reports[-1].metrics
        assert answer.reports[-1].metrics == pytest.approx(expected, rel=2e-2)


STACKS = {
    "number": ({"task": "regression"}, {}, {}),
    "convolution": ({"n_numeric": 48, "shape": (3, 4, 4)}, {}, {}),
    "Coded": ({"cardinalities": (5, 3)}, {}, {}),
    "lazy": (
        {},
        {},
        {"loss": "tests.training.own_modules:focal", "metrics": {"right": "tests.training.own_modules:share_right"}},
    ),
    "Frozen": ({}, {}, {}),
    "Remembering": ({}, {}, {}),
}


@pytest.mark.parametrize("name", STACKS)
def test_modules_of_all_makes_are_stacked(tmp_path, name):
    of_data, shared, spec = STACKS[name]
    data = make_splits(tmp_path, **of_data)
    own = [{"lr": 0.01}, {"lr": 0.03}]
    shape = {"batch_size": 16} | ({} if name == "Coded" else {"width": 8}) | ({"gamma": 2.0} if "loss" in spec else {})
    segments = modules_for(name, shape | shared, own, spec=spec)

    assert why_not_stacked(segments, data) is None
    for segment, answer in zip(segments, together(segments, data, tmp_path), strict=True):
        assert_equal(answer, alone(segment, data, tmp_path))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Net", "random operation"),  # its dropout
        ("Noisy", "random|other loss"),
        ("Branching", "vmap cannot stack them: .*data-dependent"),
        ("Unused", "weights that its loss does not depend on; alone, the optimizer leaves"),
        ("Double", "weights that are no float32"),
        ("Rated", "made with other arguments"),
        ("Tuple", "must return one tensor"),
    ],
)
def test_what_vmap_cannot_do_is_told_and_trains_alone(tmp_path, name, why):
    data = make_splits(tmp_path)
    shared = PLAIN if name == "Net" else PLAIN | {"dropout": 0.0}

    told = why_not_stacked(modules_for(name, shared), data)

    assert told is not None
    assert re.search(why, told)


def test_modules_of_equal_arguments_share_a_key():
    first, second = modules_for("Net")

    assert batch_key(first) == batch_key(second) is not None
    assert batch_key(modules_for("Net", PLAIN | {"width": 9})[0]) != batch_key(first)
    assert batch_key(modules_for("Net", PLAIN | {"optimizer": "rmsprop"})[0]) is None
    assert batch_key(modules_for("Net", spec={"precision": "mixed"})[0]) is None
    assert batch_key(modules_for("Net", spec={"loaders": "a:b"})[0]) is None
