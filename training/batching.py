"""Which segments may train together in one process: those whose networks have one shape; light, loads no torch."""

import json

from pydantic import ValidationError

from pegbox.schemas.train import TorchTrain
from pegbox.schemas.trial import Segment
from pegbox.training.hyperparameters.mlp import MlpHyperparameters

STACKED_OPTIMIZERS = {"adamw", "adam", "sgd"}

_SHAPING = ("batch_size", "optimizer", "activation", "norm", "categories", "embedding_size")
"""Hyperparameters that must be equal; the learning rate, its schedule, decay, dropout and the rest may differ."""


def batch_key(segment: Segment) -> str | None:
    """Equal for segments that `stacked_trainer.train_together` can train as one; None for one that trains alone."""
    train = segment.train
    if not isinstance(train, TorchTrain) or train.kind != "mlp" or train.precision == "mixed":
        return None
    try:
        settings = MlpHyperparameters.model_validate(dict(segment.configuration))
    except ValidationError:
        return None  # fails on its own, with its own message
    if settings.optimizer not in STACKED_OPTIMIZERS:
        return None
    shape = {name: getattr(settings, name) for name in _SHAPING}
    shape |= {"widths": settings.widths, "fold": segment.fold}
    shape |= {"from": segment.from_budget, "to": segment.to_budget, "train": train.model_dump(mode="json")}
    return json.dumps(shape, sort_keys=True)
