"""How a torch model is optimised: the hyperparameters that every torch kind shares; the loop is `training.loop`."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, FiniteFloat

from pegbox.schemas.base import Schema


def _none_as_text(raw: Any) -> Any:
    """YAML writes nothing as null."""
    return "none" if raw is None else raw


Activation = Literal["relu", "gelu", "silu", "tanh", "elu", "leaky_relu", "selu", "mish"]
Norm = Annotated[Literal["none", "batch", "layer"], BeforeValidator(_none_as_text)]
Optimizer = Literal["adamw", "adam", "nadam", "radam", "sgd", "rmsprop", "adagrad"]
LrSchedule = Literal["constant", "cosine", "linear", "step", "exponential", "onecycle"]
ClassWeights = Annotated[Literal["none", "balanced"], BeforeValidator(_none_as_text)]
Share = Annotated[FiniteFloat, Field(ge=0, lt=1)]


class OptimisationHyperparameters(Schema):
    """Batches, optimizer, learning rate and regularisation."""

    lr: FiniteFloat = Field(default=1e-3, gt=0)
    """Learning rate; the highest one of the schedule."""
    batch_size: int = Field(default=64, ge=1)
    """Rows in a step of the optimizer."""
    optimizer: Optimizer = "adamw"
    weight_decay: FiniteFloat = Field(default=0.0, ge=0)
    """Decoupled from the gradient for adamw, added to it for the others."""
    momentum: Share = 0.9
    """Of sgd and rmsprop."""
    nesterov: bool = False
    """Nesterov's form of the momentum of sgd."""
    beta1: Share = 0.9
    """Decay of the first moment of adam and its kin."""
    beta2: Share = 0.999
    """Decay of the second moment of adam and its kin, and of the squares of rmsprop."""
    lr_schedule: LrSchedule = "constant"
    """How the learning rate changes from the first step to the last one of the full budget."""
    warmup: Share = 0.0
    """Share of all steps in which the learning rate rises from 0; not used by onecycle, which has its own."""
    lr_decay: FiniteFloat = Field(default=0.1, gt=0, le=1)
    """step: the factor at one third and two thirds of the steps; exponential: the factor reached at the end."""
    label_smoothing: Share = 0.0
    """Share of the probability that is spread over all classes; classification only."""
    class_weights: ClassWeights = "none"
    """`balanced` lets every class count as much as any other in the training loss, however many rows it has;
    classification only. Measured losses are not weighted."""
    clip: FiniteFloat | None = Field(default=None, gt=0)
    """The longest gradient, as its Euclidean norm; longer ones are shortened."""
