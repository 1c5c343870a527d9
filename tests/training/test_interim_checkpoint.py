"""A training that is cut off in the midst of a segment goes on from its last finished epoch."""

import pytest
import torch
from tests.training.conftest import ignore, make_segment, make_splits

from pegbox.training import interim_checkpoint
from pegbox.training.loop import Learner
from pegbox.training.torch_trainer import TorchTrainer

CONFIGURATION = {"batch_size": 16, "dropout": 0.3, "lr_schedule": "cosine", "optimizer": "adamw"}


@pytest.fixture
def epochs(monkeypatch):
    """The epochs that are trained; each may end in a state that is kept."""
    monkeypatch.setattr(interim_checkpoint, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(interim_checkpoint, "SHARE", 1e9)
    seen, train_epoch = [], Learner.train_epoch

    def count(learner):
        metrics = train_epoch(learner)
        seen.append(learner.epoch)
        return metrics

    monkeypatch.setattr(Learner, "train_epoch", count)
    return seen


def _cut(data, segment, directory, at):
    def report(step, _):
        if step == at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        TorchTrainer().train(segment, data, directory, report)


def _weights(trained):
    return torch.load(trained.checkpoint, weights_only=True)["model"]


def test_cut_training_goes_on_bit_for_bit_from_its_last_epoch(tmp_path, epochs):
    data, segment = make_splits(tmp_path), make_segment(CONFIGURATION, to_budget=9)
    whole = TorchTrainer().train(segment, data, tmp_path / "whole", ignore)
    _cut(data, segment, tmp_path / "cut", at=5)
    epochs.clear()
    told = []

    resumed = TorchTrainer().train(segment, data, tmp_path / "cut", lambda step, _: told.append(step))

    assert epochs == [5, 6, 7, 8, 9]
    assert told == list(range(1, 10))
    assert resumed.reports == whole.reports
    assert all(torch.equal(weight, _weights(whole)[name]) for name, weight in _weights(resumed).items())
    assert [path.suffix for path in (tmp_path / "cut").iterdir()] == [".pt"]


def test_state_that_cannot_be_read_is_trained_again(tmp_path, epochs):
    data, segment = make_splits(tmp_path), make_segment(CONFIGURATION, to_budget=3)
    _cut(data, segment, tmp_path, at=3)
    (kept,) = tmp_path.glob("*.interim")
    kept.write_bytes(kept.read_bytes()[:100])
    epochs.clear()

    TorchTrainer().train(segment, data, tmp_path, ignore)

    assert epochs == [1, 2, 3]


def test_short_training_keeps_nothing_in_between(tmp_path):
    directory = tmp_path / "checkpoints"
    _cut(make_splits(tmp_path), make_segment(CONFIGURATION, to_budget=3), directory, at=3)

    assert not list(directory.glob("*.interim"))
