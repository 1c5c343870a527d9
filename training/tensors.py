"""Prepared data as tensors on a device; a worker keeps the last few folds, so that a warm trial copies nothing."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from pegbox.schemas.arrays import Part, Splits
from pegbox.schemas.data import Task

# Picked by hand: the usual number of folds; more would fill a GPU with data of earlier trials.
KEPT_FOLDS = 5
"""Folds that a worker keeps in memory, so that cross-validation does not load one twice."""


@dataclass(frozen=True, slots=True)
class PartTensors:
    """Rows of one part on the device.

    Attributes:
        inputs: Numeric columns, shape (n_rows, n_numeric) float32; then, only where there are categorical columns,
            their codes, shape (n_rows, n_categorical) int64.
        target: Class codes, shape (n_rows,) int64, or the standardised target, shape (n_rows, 1) float32.
        raw_target: As the metrics want it: class codes, or the target in its own units; numpy.
    """

    inputs: tuple[torch.Tensor, ...]
    target: torch.Tensor
    raw_target: npt.NDArray[Any]

    def __len__(self) -> int:
        return len(self.target)


@dataclass(frozen=True, slots=True)
class DataShape:
    """What a model must know of the data to be built."""

    n_numeric: int
    cardinalities: tuple[int, ...]
    n_outputs: int
    example: tuple[int, ...] | None = None
    """Shape of one example where the numeric columns are an image or a sequence."""


@dataclass(frozen=True, slots=True)
class FoldTensors:
    """One fold on one device, with the scale of a regression target."""

    task: Task
    shape: DataShape
    parts: dict[str, PartTensors]
    target_mean: float
    target_std: float
    fingerprint: str


_KEPT: OrderedDict[tuple[str, int, str], FoldTensors] = OrderedDict()


def fold_tensors(data: Splits, fold: int, device: torch.device) -> FoldTensors:
    """The fold on the device; taken from the last few that this process has used where possible."""
    key = (data.info.fingerprint, fold, str(device))
    if key in _KEPT:
        _KEPT.move_to_end(key)
        return _KEPT[key]
    while len(_KEPT) >= KEPT_FOLDS:
        _KEPT.popitem(last=False)
    _KEPT[key] = _load(data, device)
    return _KEPT[key]


def _load(data: Splits, device: torch.device) -> FoldTensors:
    info = data.info
    mean, std = data.target_scale
    parts = {"train": data.train, "valid": data.valid} | ({"test": data.test} if data.test is not None else {})
    shape = DataShape(
        n_numeric=data.train.numeric.shape[1],
        cardinalities=info.cardinalities,
        n_outputs=len(info.classes) if info.task == "classification" else 1,
        example=info.shape,
    )
    return FoldTensors(
        task=info.task,
        shape=shape,
        parts={name: _load_part(part, info.task, mean, std, device) for name, part in parts.items()},
        target_mean=mean,
        target_std=std,
        fingerprint=info.fingerprint,
    )


def _load_part(part: Part, task: Task, mean: float, std: float, device: torch.device) -> PartTensors:
    inputs = [torch.tensor(np.asarray(part.numeric), device=device)]
    if part.categorical.shape[1]:
        inputs.append(torch.tensor(np.asarray(part.categorical), device=device))
    raw: npt.NDArray[Any] = np.array(part.target)
    if task == "classification":
        target = torch.tensor(raw, dtype=torch.int64, device=device)
    else:
        target = torch.tensor((raw - mean) / std, dtype=torch.float32, device=device)[:, None]
    return PartTensors(inputs=tuple(inputs), target=target, raw_target=raw)
