"""Preprocessing and network as one torch module, so that `torch.export` and ONNX take rows as the source has them."""

from typing import Any

import numpy as np
import torch
from torch import nn

from pegbox.schemas.model import ModelInputs
from pegbox.schemas.preprocessing import Preprocessing
from pegbox.training.exporting.exporter import numbers_input


class Preparation(nn.Module):
    """What `Scaling.apply` does to rows: numbers filled in and scaled, categories that were never learned as 0."""

    fills: torch.Tensor
    gaps: torch.Tensor
    means: torch.Tensor
    deviations: torch.Tensor

    def __init__(self, how: Preprocessing) -> None:
        super().__init__()
        deviations = [np.inf if one is None else one for one in how.deviations]
        for name, values in (("fills", how.fills), ("means", how.means), ("deviations", deviations)):
            self.register_buffer(name, torch.tensor(values, dtype=torch.float64))
        self.register_buffer("gaps", torch.tensor(how.gaps, dtype=torch.int64))
        self.n_categories = len(how.categorical)
        for i, feature in enumerate(how.categorical):
            codes = torch.arange(len(feature.levels) + 1)
            codes[list(feature.unlearned)] = 0
            self.register_buffer(f"codes_{i}", codes)

    def forward(self, numbers: torch.Tensor, codes: torch.Tensor | None = None) -> tuple[torch.Tensor, ...]:
        """The arrays of training.

        Args:
            numbers: Shape (n_rows, n_numeric), float64, NaN where a value is missing.
            codes: Shape (n_rows, n_categorical), int64.

        Returns:
            Shapes (n_rows, n_numeric + n_gaps) float32 and, where there are categories, (n_rows, n_categorical).
        """
        missing = torch.isnan(numbers)
        filled = torch.where(missing, self.fills, numbers)
        if len(self.gaps):
            filled = torch.cat([filled, missing[:, self.gaps].to(torch.float64)], dim=1)
        # float64 until scaled, as in training: a large offset would eat the digits that matter.
        scaled = ((filled - self.means) / self.deviations).to(torch.float32)
        if codes is None:
            return (scaled,)
        known = [getattr(self, f"codes_{i}")[codes[:, i]] for i in range(self.n_categories)]
        return scaled, torch.stack(known, dim=1)


class ArrayPreparation(nn.Module):
    """What `ExampleScaling.apply` does to arrays: each channel in units of its own deviation."""

    means: torch.Tensor
    deviations: torch.Tensor

    def __init__(self, how: Preprocessing) -> None:
        super().__init__()
        assert how.example is not None, "preparation_of asks for it"
        along = [-1 if place == how.example.channel_axis else 1 for place in range(len(how.shape or ()))]
        deviations = [np.inf if one is None else one for one in how.deviations]
        for name, values in (("means", how.means), ("deviations", deviations)):
            self.register_buffer(name, torch.tensor(values, dtype=torch.float64).view(along))

    def forward(self, numbers: torch.Tensor, codes: torch.Tensor | None = None) -> tuple[torch.Tensor, ...]:
        """Shape (n_rows, *shape) to (n_rows, n_numeric), float32."""
        scaled = ((numbers.to(torch.float64) - self.means) / self.deviations).to(torch.float32)
        return (scaled.flatten(1),)


def preparation_of(how: Preprocessing) -> nn.Module:
    """Of columns, or of arrays."""
    return Preparation(how) if how.example is None else ArrayPreparation(how)


class EstimatorMatrix(nn.Module):
    """The one matrix that an estimator reads: numbers, then a column for each category."""

    def __init__(self, how: Preprocessing, cardinalities: tuple[int, ...]) -> None:
        super().__init__()
        self.preparation, self.cardinalities = preparation_of(how), cardinalities

    def forward(self, numbers: torch.Tensor, codes: torch.Tensor | None = None) -> torch.Tensor:
        """Shape (n_rows, n_inputs), float32; see `estimator_data.estimator_inputs`."""
        scaled, *known = self.preparation(numbers, codes)
        columns = [scaled]
        for i, cardinality in enumerate(self.cardinalities):
            columns.append((known[0][:, i, None] == torch.arange(cardinality)).to(torch.float32))
        return torch.cat(columns, dim=1)


class Answering(nn.Module):
    """Rows in, answers out: what `TorchPredictor` does, without pegbox."""

    target_mean: torch.Tensor
    target_std: torch.Tensor

    def __init__(self, how: Preprocessing, network: nn.Module, inputs: ModelInputs) -> None:
        super().__init__()
        self.preparation, self.network, self.inputs = preparation_of(how), network, inputs
        # Tensors: as plain numbers ONNX would round them to float32, and a large mean with them.
        for name, value in (("target_mean", inputs.target_mean), ("target_std", inputs.target_std)):
            self.register_buffer(name, torch.tensor(value, dtype=torch.float64))

    def forward(self, numbers: torch.Tensor, codes: torch.Tensor | None = None) -> torch.Tensor:
        """Probabilities, shape (n_rows, n_classes), or numbers in units of the target, shape (n_rows,)."""
        outputs = self.network(*self.preparation(numbers, codes))
        if self.inputs.task == "classification":
            return torch.softmax(outputs, dim=1)
        answer: torch.Tensor = outputs[:, 0].to(torch.float64) * self.target_std + self.target_mean
        return answer


def exported_program(module: nn.Module, how: Preprocessing) -> Any:
    """The module as a graph for any number of rows.

    Raises:
        Exception: Whatever torch raises of a network that it cannot export.
    """
    rows = torch.export.Dim("rows")
    # Two rows: torch takes a dimension of one for a constant.
    numbers = numbers_input(how)
    example: dict[str, torch.Tensor] = {"numbers": torch.zeros((2, *numbers.shape), dtype=getattr(torch, numbers.type))}
    if how.categorical:
        example["codes"] = torch.zeros((2, len(how.categorical)), dtype=torch.int64)
    return torch.export.export(
        module.eval().cpu(), (), kwargs=example, dynamic_shapes={name: {0: rows} for name in example}
    )
