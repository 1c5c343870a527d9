"""Weights of the torch kinds apart from their training, and the network that predicts with them."""

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from pegbox.schemas.arrays import Splits
from pegbox.schemas.errors import ModelError
from pegbox.schemas.model import ModelInputs
from pegbox.schemas.train import ModuleTrain, TorchTrain
from pegbox.schemas.trial import Segment
from pegbox.training.checkpoint import read_checkpoint
from pegbox.training.devices import choose_device
from pegbox.training.loop import MEASURED_ROWS
from pegbox.training.model_form import Floats, ModelForm, Opened
from pegbox.training.tensors import DataShape
from pegbox.training.torch_learners import network_of, recipe_of, settings_of


def pack(segment: Segment, checkpoint: Path, data: Splits) -> tuple[bytes, ModelInputs]:
    """The weights that `evaluate` measures: of the best epoch with patience, of the last one without.

    Raises:
        TrialError: The checkpoint is damaged, or belongs to another trial.
    """
    assert isinstance(segment.train, TorchTrain | ModuleTrain)
    settings = settings_of(segment.train, segment.configuration)
    state = read_checkpoint(checkpoint, recipe_of(segment, settings))
    buffer = io.BytesIO()
    # Without the optimizer: it is two thirds of a checkpoint, and nobody trains a model further.
    torch.save(dict(state["patience"]["weights"] or state["model"]), buffer)
    return buffer.getvalue(), ModelInputs.of(data.info, *data.target_scale)


def build_network(opened: Opened) -> nn.Module:
    """The network with its weights, on the CPU, ready to predict.

    Raises:
        ModelError: The weights do not belong to the network.
    """
    train = opened.train
    assert isinstance(train, TorchTrain | ModuleTrain)
    if isinstance(train, ModuleTrain) and train.module not in opened.trusted:
        raise ModelError(
            f"The network of the model is {train.module}, which is code of yours and not in the file. Where you know "
            f"whose it is: load_model(..., trusted=[{train.module!r}]), or `--trust {train.module}`."
        )
    settings = settings_of(train, opened.configuration)
    # The user's process goes on with the random numbers that it had: fresh weights are drawn, and thrown away.
    with torch.random.fork_rng(devices=[]):
        network = network_of(train, opened.configuration, settings).build(shape_of(opened.inputs))
    try:
        # Weights only: a pickle may run code.
        network.load_state_dict(torch.load(io.BytesIO(opened.weights), map_location="cpu", weights_only=True))
    except Exception as error:  # torch raises whatever its unpickler meets
        raise ModelError(
            f"The weights are no {train.kind} of this pegbox: {type(error).__name__}: {str(error)[:300]} "
            "Train the study again, or use the pegbox that wrote the model."
        ) from error
    return network.eval()


def shape_of(inputs: ModelInputs) -> DataShape:
    """What a network must know of the data."""
    return DataShape(
        n_numeric=inputs.n_numeric,
        cardinalities=inputs.cardinalities,
        n_outputs=inputs.n_classes or 1,
        example=inputs.example,
    )


class TorchPredictor:
    """A `Predictor` for the torch kinds."""

    def __init__(self, opened: Opened) -> None:
        self.network = build_network(opened)
        self.device = choose_device(opened.device)
        self.network.to(self.device)
        self.inputs = opened.inputs

    @property
    def has_probabilities(self) -> bool:
        """True for classes."""
        return self.inputs.task == "classification"

    def predict(self, numeric: npt.NDArray[np.float32], categorical: npt.NDArray[np.int64]) -> Floats:
        """See `Predictor.predict`."""
        outputs = self._outputs(numeric, categorical)
        if self.has_probabilities:
            return outputs.argmax(dim=1).cpu().numpy()
        values = outputs[:, 0].cpu().numpy().astype(np.float64)
        return values * self.inputs.target_std + self.inputs.target_mean

    def predict_proba(self, numeric: npt.NDArray[np.float32], categorical: npt.NDArray[np.int64]) -> Floats:
        """See `Predictor.predict_proba`."""
        return torch.softmax(self._outputs(numeric, categorical), dim=1).cpu().numpy()

    @torch.inference_mode()
    def _outputs(self, numeric: npt.NDArray[np.float32], categorical: npt.NDArray[np.int64]) -> torch.Tensor:
        tensors = [torch.from_numpy(numeric)]
        if self.inputs.cardinalities:
            tensors.append(torch.from_numpy(categorical))
        batches = zip(*(torch.split(tensor, MEASURED_ROWS) for tensor in tensors), strict=True)
        # float32 on every device: a model answers alike wherever it is loaded.
        return torch.cat([self.network(*(one.to(self.device) for one in batch)) for batch in batches])


FORM = ModelForm(name="torch", member="weights.pt", pack=pack, open=TorchPredictor)
