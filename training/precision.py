"""The precision of the arithmetic: float32, or mixed where the device gains by it."""

from contextlib import AbstractContextManager
from typing import Any, Literal

import torch

from pegbox.training.devices import has_bfloat16


class Precision:
    """Autocasting and, for float16, the scaling of gradients that would otherwise vanish."""

    def __init__(self, asked: Literal["auto", "float32", "mixed"], device: torch.device) -> None:
        self.is_mixed = asked == "mixed" or (asked == "auto" and device.type == "cuda")
        self._device_type = device.type
        in_bfloat16 = has_bfloat16(device)
        self._dtype = torch.bfloat16 if in_bfloat16 else torch.float16
        # Only float16 needs it (Micikevicius et al. 2018, loss scaling): bfloat16 has float32's range.
        self._scaler = torch.amp.GradScaler(device.type) if self.is_mixed and not in_bfloat16 else None

    def autocast(self) -> AbstractContextManager[Any]:
        """Inside it the operations that may run in half precision do so."""
        return torch.autocast(self._device_type, dtype=self._dtype)

    def backward(self, loss: torch.Tensor) -> None:
        """Compute gradients."""
        (loss if self._scaler is None else self._scaler.scale(loss)).backward()  # type: ignore[no-untyped-call]

    def unscale(self, optimizer: torch.optim.Optimizer) -> None:
        """Give gradients their true length before they are clipped."""
        if self._scaler is not None:
            self._scaler.unscale_(optimizer)

    def step(self, optimizer: torch.optim.Optimizer) -> None:
        """Take a step, or skip it where scaled gradients overflowed."""
        if self._scaler is None:
            optimizer.step()
        else:
            self._scaler.step(optimizer)
            self._scaler.update()

    def state(self) -> dict[str, Any]:
        """What continuing needs."""
        return self._scaler.state_dict() if self._scaler else {}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        if self._scaler and state:
            self._scaler.load_state_dict(state)
