"""Stands between the loop and a user's module: hands it the rows as it wants them, and checks what it gives back."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from pegbox.schemas.errors import TrialError
from pegbox.schemas.failure import FailureKind
from pegbox.training.failures import failed
from pegbox.training.tensors import DataShape

# Picked by hand: above what another order of float32 sums changes, on a GPU too, and below any random number.
SAME = {"rtol": 1e-3, "atol": 1e-4}
"""Two passes over the same rows are the same within this."""


class UserModule(nn.Module):
    """A user's module as the loop calls its own models.

    Args:
        path: Where it came from, for messages.
        inner: The user's.
        shape: Of the data.
        arguments: What it was made with, by name.
    """

    def __init__(self, path: str, inner: nn.Module, shape: DataShape, arguments: Mapping[str, Any]) -> None:
        super().__init__()
        self.inner = inner
        self.arguments = arguments
        self.path, self.shape = path, shape
        self._is_proven = False

    def forward(self, numeric: torch.Tensor, categorical: torch.Tensor | None = None) -> torch.Tensor:
        """Shapes (n, n_numeric) and (n, n_categorical) to (n, n_outputs).

        Raises:
            TrialError: The module gave something else, or not the same twice.
        """
        inputs = self.inputs_of(numeric, categorical)
        outputs = self.checked(self.inner(*inputs), len(numeric))
        if not self.training and not self._is_proven:
            self._require_the_same(outputs, self.checked(self.inner(*inputs), len(numeric)))
            self._is_proven = True
        return outputs

    def settle(self) -> None:
        """Let lazy layers find their sizes, for an optimizer takes no weights that are not there yet.

        Raises:
            TrialError: There are no weights.
        """
        if any(isinstance(one, nn.parameter.UninitializedParameter) for one in self.parameters()):
            was_training, self._is_proven = self.inner.training, True
            with torch.no_grad():
                codes = torch.zeros(2, len(self.shape.cardinalities), dtype=torch.int64)
                self.eval()(torch.zeros(2, self.shape.n_numeric), codes if self.shape.cardinalities else None)
            self.train(was_training)
            self._is_proven = False
        if not any(one.requires_grad for one in self.parameters()):
            message = f"{self.path} made a module without any weights to train. Keep its layers as attributes of it."
            raise failed(FailureKind.INVALID, message)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """As torch has it.

        Raises:
            TrialError: The module is not built as it was when these weights were kept.
        """
        try:
            return super().load_state_dict(state_dict, strict, assign)
        except RuntimeError as error:
            message = (
                f"{self.path} made another network from the same arguments than that whose weights were kept: "
                f"{' '.join(str(error).split()).rstrip('.')}. What shapes it must be an argument, or stay the same."
            )
            raise failed(FailureKind.INVALID, message) from error

    def inputs_of(self, numeric: torch.Tensor, categorical: torch.Tensor | None = None) -> tuple[torch.Tensor, ...]:
        """What the module is called with: categories as codes where it takes these, else as a column each."""
        if categorical is None:
            return (numeric.view(-1, *self.shape.example) if self.shape.example else numeric,)
        if "cardinalities" in self.arguments:
            return numeric, categorical
        hot = [
            nn.functional.one_hot(categorical[:, column], cardinality).to(numeric.dtype)
            for column, cardinality in enumerate(self.shape.cardinalities)
        ]
        return (torch.cat([numeric, *hot], dim=1),)

    def checked(self, outputs: Any, n_rows: int) -> torch.Tensor:
        """What the module gave, shape (n, n_outputs).

        Raises:
            TrialError: It is something else.
        """
        wanted = (n_rows, self.shape.n_outputs)
        if not isinstance(outputs, torch.Tensor):
            raise self._refusal(f"one tensor of shape {wanted}", f"{type(outputs).__name__}{_parts(outputs)}")
        if outputs.shape == (n_rows,) and self.shape.n_outputs == 1:
            return outputs[:, None]  # a number for each row, as many write it
        if outputs.shape != wanted:
            raise self._refusal(f"shape {wanted}, rows and outputs", f"shape {tuple(outputs.shape)}")
        if not outputs.is_floating_point():
            raise self._refusal("scores as floating-point numbers", str(outputs.dtype))
        return outputs

    def _refusal(self, wanted: str, got: str) -> TrialError:
        message = (
            f"{self.path} was given {self._given()} and must return {wanted}, got {got}. Return the scores of each row "
            "and nothing else; what returns more is trained as a function of yours."
        )
        return failed(FailureKind.INVALID, message)

    def _given(self) -> str:
        return f"rows of shape {self.shape.example or (self.shape.n_numeric,)}"

    def _require_the_same(self, first: torch.Tensor, again: torch.Tensor) -> None:
        if not torch.allclose(first.float(), again.float(), equal_nan=True, **SAME):
            apart = float((first.float() - again.float()).abs().max())
            message = (
                f"{self.path} gave two answers for the same rows in eval mode, up to {apart:.3g} apart, so that what "
                "is measured of it is chance. Draw random numbers, and change what is kept, in training mode only."
            )
            raise failed(FailureKind.INVALID, message)


def _parts(outputs: Any) -> str:
    """What a collection holds."""
    if isinstance(outputs, tuple | list):
        return f" of {len(outputs)} ({', '.join(type(one).__name__ for one in outputs[:4])})"
    keys = getattr(outputs, "keys", None)
    return f" of {', '.join(map(str, keys()))}" if callable(keys) else ""
