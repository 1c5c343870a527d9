"""Devices beside the CPU, of which this machine may have none: what is asked of each, and where each may be."""

import types

import pytest
import torch

from pegbox.training import devices, resources


class Fake:
    """What torch offers of a device; MPS takes no device in its functions, and counts no peak."""

    def __init__(self, **functions):
        self.state = torch.zeros(16, dtype=torch.uint8)
        self.__dict__ |= functions

    def get_rng_state(self, *which):
        return self.state

    def set_rng_state(self, state, *which):
        self.state = state


XPU = {
    "max_memory_allocated": lambda device: 7,
    "reset_peak_memory_stats": lambda: None,
    "is_bf16_supported": lambda: True,
}
MPS = {"driver_allocated_memory": lambda: 5}


@pytest.mark.parametrize(("name", "functions", "memory", "bfloat16"), [("xpu", XPU, 7, True), ("mps", MPS, 5, False)])
def test_each_device_is_asked_in_its_own_words(monkeypatch, name, functions, memory, bfloat16):
    fake = Fake(**functions)
    monkeypatch.setattr(torch, "get_device_module", lambda device: fake)
    device = types.SimpleNamespace(type=name)
    other = torch.ones(16, dtype=torch.uint8)

    devices.reset_peak(device)
    devices.restore_random_numbers(torch.ones(5, dtype=torch.uint8), device)  # left by a device of another kind
    before = devices.random_numbers(device)
    devices.restore_random_numbers(other, device)

    assert devices.peak_memory(device) == memory
    assert devices.has_bfloat16(device) is bfloat16
    assert not before.any()
    assert torch.equal(devices.random_numbers(device), other)


def test_the_processor_has_no_random_numbers_of_its_own():
    cpu = torch.device("cpu")

    assert devices.random_numbers(cpu) is None
    devices.restore_random_numbers(torch.ones(16, dtype=torch.uint8), cpu)
    assert devices.peak_memory(cpu) > 0
    assert devices.has_bfloat16(cpu)


@pytest.mark.parametrize(
    ("platform", "machine", "shown"),
    [("darwin", "arm64", True), ("darwin", "x86_64", False), ("linux", "arm64", False)],
)
def test_mps_is_of_processors_of_apple(monkeypatch, platform, machine, shown):
    monkeypatch.setattr(resources.sys, "platform", platform)
    monkeypatch.setattr(resources.platform, "machine", lambda: machine)

    assert resources.shows_device("mps") is shown


@pytest.mark.parametrize(("vendor", "shown"), [("0x8086\n", True), ("0x10de\n", False)])
def test_xpu_is_of_cards_of_intel(monkeypatch, tmp_path, vendor, shown):
    (tmp_path / "card0" / "device").mkdir(parents=True)
    (tmp_path / "card0" / "device" / "vendor").write_text(vendor)
    monkeypatch.setattr(resources.sys, "platform", "linux")
    monkeypatch.setattr(resources, "CARDS", tmp_path)

    assert resources.shows_device("xpu") is shown
