"""Activations and norms by name, for vectors; a kind with another shape of data brings its own norm."""

from torch import nn

from pegbox.training.hyperparameters.optimisation import Activation, Norm

_ACTIVATIONS: dict[Activation, type[nn.Module]] = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "elu": nn.ELU,
    "leaky_relu": nn.LeakyReLU,
    "selu": nn.SELU,
    "mish": nn.Mish,
}


def build_activation(name: Activation) -> nn.Module:
    """The activation of this name."""
    return _ACTIVATIONS[name]()


def build_norm(name: Norm, width: int) -> list[nn.Module]:
    """No module, or the norm of this name over vectors of this width."""
    match name:
        case "batch":
            return [nn.BatchNorm1d(width)]
        case "layer":
            return [nn.LayerNorm(width)]
        case "none":
            return []


def build_dropout(share: float) -> list[nn.Module]:
    """No module where nothing is dropped."""
    return [nn.Dropout(share)] if share > 0 else []
