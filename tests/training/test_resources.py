"""Sizes, memory and devices of a process."""

import numpy as np
import pytest

from pegbox.training.resources import parse_bytes, peak_memory_bytes, reset_peak_memory, visible_gpus


@pytest.mark.parametrize(
    ("text", "n_bytes"),
    [("500MB", 500_000_000), ("4GB", 4 * 10**9), ("2GiB", 2**31), ("1.5 gb", 1_500_000_000), ("1000", 1000)],
)
def test_a_size_is_read_with_its_unit(text, n_bytes):
    assert parse_bytes(text) == n_bytes


@pytest.mark.parametrize("text", ["4 apples", "", "-1GB", "0GB"])
def test_what_is_no_size_is_named(text):
    with pytest.raises(ValueError, match=r"such as 500MB, 4GB or 2GiB, got"):
        parse_bytes(text)


def test_the_peak_counts_from_its_reset():
    reset_peak_memory()
    before = peak_memory_bytes()

    del_me = np.ones(10_000_000)
    size = del_me.nbytes
    del del_me

    assert 0.9 * size < peak_memory_bytes() - before < 2 * size


def test_gpus_are_those_that_are_made_visible(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, 5")

    assert visible_gpus() == ("3", "5")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"CUDA_VISIBLE_DEVICES": "MIG-1a2b, MIG-3c4d"}, ("MIG-1a2b", "MIG-3c4d")),
        ({"CUDA_VISIBLE_DEVICES": "MIG-GPU-1a2b/1/0"}, ("MIG-GPU-1a2b/1/0",)),
        ({"CUDA_VISIBLE_DEVICES": "GPU-1a2b"}, ("GPU-1a2b",)),
        ({"CUDA_VISIBLE_DEVICES": "0,-1,1"}, ("0",)),  # CUDA looks no further
        ({"CUDA_VISIBLE_DEVICES": ""}, ()),
        ({"CUDA_VISIBLE_DEVICES": "NoDevFiles", "SLURM_JOB_GPUS": "0"}, ()),  # SLURM's word for none
        ({"SLURM_STEP_GPUS": "2,3", "SLURM_JOB_GPUS": "0,1,2,3"}, ("2", "3")),
        ({"SLURM_JOB_GPUS": "1"}, ("1",)),
    ],
)
def test_gpus_are_read_as_cuda_and_slurm_mean_them(monkeypatch, variables, expected):
    for name in ("CUDA_VISIBLE_DEVICES", "SLURM_STEP_GPUS", "SLURM_JOB_GPUS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert visible_gpus() == expected
