"""Event files as torch and Lightning write them."""

import warnings

import pytest

from pegbox.training.tensorboard_events import read_events


@pytest.fixture
def write(tmp_path):
    """Write scalars into a directory below the one that is read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the packages of others say of each other when they are imported
        from torch.utils.tensorboard import SummaryWriter

    def scalars(folder, *rows):
        with SummaryWriter(str(tmp_path / folder)) as writer:
            for name, value, step in rows:
                writer.add_scalar(name, value, step)

    return scalars


def test_scalars_are_read_with_their_steps(write, tmp_path):
    write(".", ("val/loss", 0.5, 1), ("val/loss", 0.25, 2), ("acc", float("nan"), 2))

    first, second = read_events(tmp_path, 0)

    assert (first.step, first.numbers) == (1, {"val/loss": 0.5})
    assert second.numbers["val/loss"] == 0.25
    assert str(second.numbers["acc"]) == "nan"


def test_a_scalar_epoch_says_the_epoch_of_its_step(write, tmp_path):
    write(".", ("loss", 0.5, 99), ("epoch", 0, 99), ("loss", 0.25, 199), ("epoch", 1, 199))

    assert [(one.step, one.numbers) for one in read_events(tmp_path, 0)] == [(0, {"loss": 0.5}), (1, {"loss": 0.25})]


def test_names_of_two_directories_do_not_fall_together(write, tmp_path):
    write("train", ("loss", 0.5, 1))
    write("validation", ("loss", 0.25, 1))

    found = {name: value for one in read_events(tmp_path, 0) for name, value in one.numbers.items()}

    assert found == {"train/loss": 0.5, "validation/loss": 0.25}


def test_files_of_earlier_trials_are_not_taken(write, tmp_path):
    write(".", ("loss", 0.5, 1))

    with pytest.raises(ValueError, match="no event file was written below"):
        read_events(tmp_path, 1e12)
