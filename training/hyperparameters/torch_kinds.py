"""The kinds of torch models by name, each with what it may be tuned by; what else belongs to a kind is in `kinds`."""

from pegbox.training.hyperparameters.cnn import CnnHyperparameters
from pegbox.training.hyperparameters.mlp import MlpHyperparameters
from pegbox.training.hyperparameters.optimisation import OptimisationHyperparameters
from pegbox.training.hyperparameters.resnet import ResnetHyperparameters
from pegbox.training.hyperparameters.rnn import RnnHyperparameters
from pegbox.training.hyperparameters.transformer import TransformerHyperparameters

TORCH_KINDS: dict[str, type[OptimisationHyperparameters]] = {
    "cnn": CnnHyperparameters,
    "mlp": MlpHyperparameters,
    "resnet": ResnetHyperparameters,
    "rnn": RnnHyperparameters,
    "transformer": TransformerHyperparameters,
}
"""Kind to its hyperparameters."""
