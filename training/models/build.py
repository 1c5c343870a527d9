"""From the name of a kind and its hyperparameters to a torch module."""

from torch import nn

from pegbox.training.hyperparameters.cnn import CnnHyperparameters
from pegbox.training.hyperparameters.mlp import MlpHyperparameters
from pegbox.training.hyperparameters.optimisation import OptimisationHyperparameters
from pegbox.training.hyperparameters.resnet import ResnetHyperparameters
from pegbox.training.hyperparameters.rnn import RnnHyperparameters
from pegbox.training.hyperparameters.transformer import TransformerHyperparameters
from pegbox.training.models.cnn import Cnn
from pegbox.training.models.mlp import Mlp
from pegbox.training.models.resnet import Resnet
from pegbox.training.models.rnn import Rnn
from pegbox.training.models.transformer import Transformer
from pegbox.training.tensors import DataShape


def build_model(settings: OptimisationHyperparameters, shape: DataShape) -> nn.Module:
    """A freshly initialised model, from torch's global random numbers.

    Raises:
        TrialError: The data have not the shape that the kind needs.
        TypeError: No model belongs to these hyperparameters.
    """
    match settings:
        case MlpHyperparameters():
            return Mlp(shape, settings)
        case CnnHyperparameters():
            return Cnn(shape, settings)
        case ResnetHyperparameters():
            return Resnet(shape, settings)
        case RnnHyperparameters():
            return Rnn(shape, settings)
        case TransformerHyperparameters():
            return Transformer(shape, settings)
        case _:
            raise TypeError(f"no model is built from {type(settings).__name__}.")
