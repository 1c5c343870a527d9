"""The device that torch trains on (CPU, CUDA, Apple's MPS, Intel's XPU): choice, memory and random numbers."""

from typing import Any

import torch

from pegbox.schemas.failure import FailureKind
from pegbox.schemas.train import Device
from pegbox.training.failures import failed
from pegbox.training.resources import peak_memory_bytes, reset_peak_memory


def choose_device(asked: Device) -> torch.device:
    """The device to train on; `auto` takes a CUDA GPU where there is one, as MPS and XPU lack some operations.

    Raises:
        TrialError: A device is asked for by name and not there.
    """
    if asked == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if asked != "cpu" and not torch.get_device_module(asked).device_count():
        message = f"device is {asked}, but torch {torch.__version__} sees none here. Write `device: auto`."
        raise failed(FailureKind.INVALID, message)
    return torch.device(asked)


def has_bfloat16(device: torch.device) -> bool:
    """True where mixed precision may take bfloat16; elsewhere it takes float16."""
    if device.type in {"cpu", "mps"}:
        return device.type == "cpu"
    return bool(_module(device).is_bf16_supported())


def reset_peak(device: torch.device) -> None:
    """Let `peak_memory` count from now on, where the device counts it."""
    reset_peak_memory()
    if hasattr(_module(device), "reset_peak_memory_stats"):
        _module(device).reset_peak_memory_stats()


def peak_memory(device: torch.device) -> int | None:
    """The most memory that was held on the device, in bytes: of the CPU by this process; of MPS what is held now."""
    if device.type == "cpu":
        return peak_memory_bytes()
    module = _module(device)
    return int(module.driver_allocated_memory() if device.type == "mps" else module.max_memory_allocated(device))


def random_numbers(device: torch.device) -> torch.Tensor | None:
    """Where the device's own stream of random numbers stands; None of the CPU, whose is the process's."""
    if device.type == "cpu":
        return None
    numbers: torch.Tensor = _module(device).get_rng_state(*_which(device))
    return numbers


def restore_random_numbers(state: torch.Tensor, device: torch.device) -> None:
    """Let the device's stream go on from where it stood; what another kind of device left is of no use here."""
    now = random_numbers(device)
    if now is not None and now.shape == state.shape:
        _module(device).set_rng_state(state, *_which(device))


def _which(device: torch.device) -> tuple[torch.device, ...]:
    """MPS is one device, and its functions take none."""
    return () if device.type == "mps" else (device,)


def _module(device: torch.device) -> Any:
    return torch.get_device_module(device)
