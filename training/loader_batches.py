"""What a user's function gives for `train.loaders`: its two parts; from a raw batch to inputs and a target."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset

from pegbox.schemas.failure import FailureKind
from pegbox.training.failures import failed

PARTS = ("train", "valid")
"""What is trained and compared on. A test part is pegbox's to hold out, of data that it prepares."""

TARGETS = ("target", "targets", "label", "labels", "y")
"""What a batch that is a mapping calls its target."""


class Batch(NamedTuple):
    """Rows on the device.

    Attributes:
        inputs: What the module is called with in order.
        named: What it is called with by name.
        target: What its loss is given beside the outputs.
        n_rows: Weighs the batch in a mean.
    """

    inputs: tuple[Any, ...]
    named: dict[str, Any]
    target: Any
    n_rows: int


def loaders_of(made: Any, path: str) -> dict[str, Any]:
    """What a function returned as parts by name.

    Raises:
        TrialError: It returned something else than the two parts.
    """
    parts = dict(zip(PARTS, made, strict=False)) if isinstance(made, tuple | list) else made
    n_parts = len(made) if isinstance(made, tuple | list | Mapping) else 0
    if not isinstance(parts, Mapping) or set(parts) != set(PARTS) or n_parts != len(PARTS):
        got = f"{type(made).__name__} of {n_parts}" if n_parts else type(made).__name__
        message = f"{path} must return (train, valid), or a mapping of these two names, got {got}."
        hint = " A test part is measured of `data` alone." if n_parts > len(PARTS) else ""
        raise failed(FailureKind.INVALID, f"{message}{hint}")
    return dict(parts)


def made_loaders(parts: Mapping[str, Any], path: str, *, batch_size: int, is_asked_for: bool) -> dict[str, Any]:
    """A loader for each part; a `Dataset` is cut into batches, the training part in random order.

    Args:
        parts: By name.
        path: Of the function that made them, for messages.
        batch_size: Of the configuration.
        is_asked_for: True if the space tunes the size of batches and the function does not take it.

    Raises:
        TrialError: A part is neither, or batches are cut already and their size is to be tuned.
    """
    loaders = {}
    for name, part in parts.items():
        if isinstance(part, Dataset):
            shuffled = name == "train" and not isinstance(part, IterableDataset)
            loaders[name] = DataLoader(part, batch_size=batch_size, shuffle=shuffled)
            continue
        if not hasattr(part, "__iter__") or hasattr(part, "__next__"):
            message = (
                f"{path} gave {part!r:.100} as {name!r}. Give a Dataset, or a DataLoader that begins anew each epoch."
            )
            raise failed(FailureKind.INVALID, message)
        if is_asked_for:
            message = (
                f"the space holds batch_size, and {path} gives batches that are cut already. Take batch_size there "
            )
            raise failed(FailureKind.INVALID, f"{message}as an argument, or return Datasets.")
        loaders[name] = part
    return loaders


def batch_of(raw: Any, device: torch.device, part: str) -> Batch:
    """A batch as the module and its loss take it.

    Raises:
        TrialError: It is neither (inputs..., target) nor a mapping with one target.
    """
    moved = _moved(raw, device)
    if isinstance(moved, tuple | list) and len(moved) >= 2:
        *inputs, target = moved
        if len(inputs) == 1 and isinstance(inputs[0], Mapping):
            return Batch((), dict(inputs[0]), target, _n_rows(target, part))
        return Batch(tuple(inputs), {}, target, _n_rows(target, part))
    found = [name for name in TARGETS if name in moved] if isinstance(moved, Mapping) else []
    if len(found) == 1:
        named = dict(moved)
        target = named.pop(found[0])
        return Batch((), named, target, _n_rows(target, part))
    got = f"a mapping of {', '.join(map(str, moved))}" if isinstance(moved, Mapping) else type(raw).__name__
    message = (
        f"a batch of {part!r} must be (inputs..., target), or a mapping with one of {', '.join(TARGETS)}, got {got}."
    )
    raise failed(FailureKind.INVALID, message)


def _moved(raw: Any, device: torch.device) -> Any:
    """The same structure with its tensors on the device."""
    if isinstance(raw, torch.Tensor):
        return raw.to(device, non_blocking=True)
    if isinstance(raw, Mapping):
        return {name: _moved(one, device) for name, one in raw.items()}
    if isinstance(raw, tuple | list):
        return [_moved(one, device) for one in raw]
    return raw.to(device) if hasattr(raw, "to") else raw


def _n_rows(target: Any, part: str) -> int:
    try:
        n_rows = len(target)
    except TypeError as error:
        message = f"the target of a batch of {part!r} must have a length, its rows, got {target!r:.100}."
        raise failed(FailureKind.INVALID, message) from error
    return n_rows
