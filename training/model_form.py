"""The seam between a trained trial and a model that predicts: weights without a trainer, and what is made of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pegbox.schemas.arrays import Splits
from pegbox.schemas.base import Configuration
from pegbox.schemas.model import Form, ModelInputs
from pegbox.schemas.train import Device, TrainSpec
from pegbox.schemas.trial import Segment

Floats = npt.NDArray[np.floating]


class _Anyone(tuple[str, ...]):
    """Holds every name."""

    __slots__ = ()

    def __contains__(self, name: object) -> bool:
        return True


ANYONE: Sequence[str] = _Anyone()
"""Whose code is trusted where this very process has just trained with it."""


class Predictor(Protocol):
    """Weights that answer; the arrays are those of prepared data.

    Their shapes are (n_rows, n_numeric) and (n_rows, n_categorical).
    """

    @property
    def has_probabilities(self) -> bool:
        """False for regression, and for an estimator that has none."""
        ...

    def predict(self, numeric: npt.NDArray[np.float32], categorical: npt.NDArray[np.int64]) -> Floats:
        """Class codes, or numbers in units of the target, shape (n_rows,)."""
        ...

    def predict_proba(self, numeric: npt.NDArray[np.float32], categorical: npt.NDArray[np.int64]) -> Floats:
        """Shape (n_rows, n_classes); only where `has_probabilities`."""
        ...


@dataclass(frozen=True, slots=True)
class Opened:
    """What weights are opened with.

    Attributes:
        weights: As `pack` wrote them.
        train: How they were trained.
        configuration: Of the trial.
        inputs: Of the arrays.
        device: To compute on.
        trusted: Classes of the user's that may be loaded, as `module.Name`.
    """

    weights: bytes
    train: TrainSpec
    configuration: Configuration
    inputs: ModelInputs
    device: Device = "auto"
    trusted: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ModelForm:
    """How the weights of one kind of training are kept.

    Attributes:
        name: Of the form.
        member: Of the file within a model's file.
        pack: The weights of a checkpoint, as bytes that hold no code, and what they must know of the arrays; runs
            where the trainer runs.
        open: From these bytes to who predicts; runs no code of the bytes.
    """

    name: Form
    member: str
    pack: Callable[[Segment, Path, Splits], tuple[bytes, ModelInputs]]
    open: Callable[[Opened], Predictor]
