"""From the name of a kind and its hyperparameters to a torch module."""

from torch import nn

from pegbox.training.hyperparameters.mlp import MlpHyperparameters
from pegbox.training.hyperparameters.optimisation import OptimisationHyperparameters
from pegbox.training.models.mlp import Mlp
from pegbox.training.tensors import DataShape


def build_model(settings: OptimisationHyperparameters, shape: DataShape) -> nn.Module:
    """A freshly initialised model, from torch's global random numbers.

    Raises:
        TypeError: No model belongs to these hyperparameters.
    """
    match settings:
        case MlpHyperparameters():
            return Mlp(shape, settings)
        case _:
            raise TypeError(f"no model is built from {type(settings).__name__}.")
