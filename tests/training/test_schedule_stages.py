"""Schedules of hyperparameters: taken over from a checkpoint, and trained again from zero."""

import pytest
import torch
from tests.training.conftest import ignore, make_segment, make_splits

from pegbox.schemas.errors import TrialError
from pegbox.schemas.train import FunctionTrain
from pegbox.schemas.trial import Stage, TrainedSegment
from pegbox.training.schedule_stages import must_replay, replay_schedule
from pegbox.training.torch_trainer import TorchTrainer

FIRST = {"lr": 0.01, "batch_size": 32, "dropout": 0.0, "weight_decay": 0.1, "optimizer": "sgd", "momentum": 0.5}
SECOND = {**FIRST, "lr": 0.001, "batch_size": 16, "dropout": 0.3, "weight_decay": 0.01, "momentum": 0.9}
EARLIER = (Stage(configuration=FIRST, to_budget=2),)


@pytest.fixture
def data(tmp_path):
    return make_splits(tmp_path, n_rows=200)


@pytest.fixture
def checkpoints(tmp_path):
    return tmp_path / "checkpoints"


def forked(parent, configuration=None, **changes):
    segment = make_segment(configuration or SECOND, to_budget=4)
    return segment.model_copy(update={"earlier": EARLIER, "from_budget": 2, "checkpoint": parent.checkpoint, **changes})


def trained_parent(data, checkpoints):
    return TorchTrainer().train(make_segment(FIRST, to_budget=2), data, checkpoints, ignore)


def state_of(trained):
    return torch.load(trained.checkpoint, weights_only=True)


def test_fork_goes_on_with_its_own_hyperparameters(data, checkpoints):
    trained = TorchTrainer().train(forked(trained_parent(data, checkpoints)), data, checkpoints, ignore)
    group = state_of(trained)["optimizer"]["param_groups"][0]
    assert (group["lr"], group["weight_decay"], group["momentum"]) == (0.001, 0.01, 0.9)
    assert [report.step for report in trained.reports] == [3, 4]


def test_fork_begins_with_the_weights_of_its_parent(data, checkpoints):
    parent = trained_parent(data, checkpoints)
    still = forked(parent, {**SECOND, "lr": 1e-12, "weight_decay": 0.0})
    trained = TorchTrainer().train(still, data, checkpoints, ignore)
    pairs = zip(state_of(parent)["model"].values(), state_of(trained)["model"].values(), strict=True)
    assert all(torch.allclose(before, after, atol=1e-6) for before, after in pairs)


def test_schedule_from_zero_ends_where_the_fork_ended(data, checkpoints):
    fork = forked(trained_parent(data, checkpoints))
    trained = TorchTrainer().train(fork, data, checkpoints, ignore)
    again = fork.model_copy(update={"from_budget": 0, "checkpoint": None, "replicate": 0})
    replayed = replay_schedule(TorchTrainer(), again, data, checkpoints / "other", ignore)
    assert [report.step for report in replayed.reports] == [1, 2, 3, 4]
    assert replayed.reports[2:] == trained.reports
    assert not list((checkpoints / "other").glob(".*"))


def test_fork_whose_checkpoint_is_gone_is_trained_from_zero(data, checkpoints):
    fork = forked(trained_parent(data, checkpoints), checkpoint=checkpoints / "gone.pt")
    assert must_replay(fork)
    assert replay_schedule(TorchTrainer(), fork, data, checkpoints, ignore).restarted


def test_parameter_that_defines_the_network_is_refused(data, checkpoints):
    fork = forked(trained_parent(data, checkpoints), {**SECOND, "units": 7})
    with pytest.raises(TrialError, match="defines the network"):
        TorchTrainer().train(fork, data, checkpoints, ignore)


def test_schedule_key_differs_from_that_of_its_last_stage_alone(data):
    alone = make_segment(SECOND, to_budget=4)
    assert alone.content_key("") != alone.model_copy(update={"earlier": EARLIER}).content_key("")


class WithoutCheckpoint:
    def train(self, segment, data, checkpoints, report):
        return TrainedSegment(budget=segment.to_budget, seconds=0.0)


def test_stage_that_leaves_no_checkpoint_fails_the_schedule(checkpoints):
    train = FunctionTrain(kind="function", function="my:run", epochs=4)
    segment = make_segment(SECOND, to_budget=4, train=train).model_copy(update={"earlier": EARLIER})
    with pytest.raises(TrialError, match="none was left at epoch 2"):
        replay_schedule(WithoutCheckpoint(), segment, None, checkpoints, ignore)
