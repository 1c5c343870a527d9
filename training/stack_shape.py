"""Which segments may train together in one process: those whose networks have one shape; light, loads no torch."""

import json
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from pegbox.schemas.base import Configuration
from pegbox.schemas.study import StudySpec
from pegbox.schemas.train import ModuleTrain, TorchTrain
from pegbox.schemas.trial import Segment
from pegbox.training.hyperparameters.mlp import MlpHyperparameters
from pegbox.training.hyperparameters.optimisation import OptimisationHyperparameters
from pegbox.training.user_arguments import of_the_loop

# Of pegbox's own, only the perceptron is a plain chain of matrix products, which batched ones replace one for one; of
# a user's modules vmap tells (`stack_check`).
STACKED_KINDS = ("mlp", "torch")
# Those that `stacked_optimizer` writes anew for settings that differ from row to row.
STACKED_OPTIMIZERS = {"adamw", "adam", "sgd"}
# Picked by hand: below it, zeros cost less than the batches that more shapes would split.
NARROWEST = 16

_SHAPING = ("batch_size", "optimizer", "activation", "norm", "categories", "embedding_size")
"""Hyperparameters that must be equal; the learning rate, its schedule, decay, dropout and the rest may differ."""


def why_not_together(spec: StudySpec) -> Iterator[str]:
    """Reasons, one sentence each, for which no two trials of a study could ever train together."""
    if spec.train.kind not in STACKED_KINDS:
        yield f"only models of the kinds {' and '.join(STACKED_KINDS)} train together, not {spec.train.kind!r}."
    elif isinstance(spec.train, ModuleTrain) and spec.train.loaders:
        yield "models that are trained together share the rows of `data`, and train.loaders brings batches of its own."
    elif isinstance(spec.train, TorchTrain | ModuleTrain) and spec.train.precision == "mixed":
        yield "models that are trained together use float32, and train.precision is 'mixed'."
    optimizer = spec.space.parameters.get("optimizer")
    if spec.train.kind in STACKED_KINDS and optimizer and not any(map(optimizer.contains, STACKED_OPTIMIZERS)):
        known = ", ".join(sorted(STACKED_OPTIMIZERS))
        yield f"only {known} train several models together, and space.optimizer has none of them."
    if not spec.fidelity.is_of_epochs:
        yield f"a stack shares its rows, and trials have other {spec.fidelity.of} at each rung."
    if spec.run.engine != "local":
        yield f"trials are trained together by workers of this machine, and run.engine is {spec.run.engine!r}."
    if spec.run.limit is not None:
        yield "each trial takes a place of run.limit for itself, so that no batch would become full."


def shape_key(segment: Segment) -> str | None:
    """Equal for segments whose networks can be stacked; None for one that trains alone.

    Widths need not be equal: those above the same power of two are filled up to the widest.
    """
    train = segment.train
    if segment.earlier or getattr(train, "precision", "mixed") == "mixed":  # stages end where those of others do not
        return None
    try:
        if isinstance(train, ModuleTrain):
            shape = None if train.loaders else _module_shape(train, segment.configuration)
        else:
            shape = _mlp_shape(segment.configuration) if train.kind == "mlp" else None
    except ValidationError:
        return None  # fails on its own, with its own message
    if shape is None or shape["optimizer"] not in STACKED_OPTIMIZERS:
        return None
    return " ".join(f"{name}={value}" for name, value in shape.items())


def _mlp_shape(configuration: Configuration) -> dict[str, Any]:
    settings = MlpHyperparameters.model_validate(dict(configuration))
    # A layer norm takes the mean over its layer, which zeros would change.
    widths = [width if settings.norm == "layer" else _filled_up(width) for width in settings.widths]
    return {"widths": widths} | {name: getattr(settings, name) for name in _SHAPING}


def _module_shape(train: ModuleTrain, configuration: Configuration) -> dict[str, Any]:
    """All that is not the loop's: who else takes it, only importing the user's code would tell."""
    of_loop = of_the_loop(train, configuration)
    settings = OptimisationHyperparameters.model_validate(of_loop)
    own = {name: value for name, value in sorted(configuration.items()) if name not in of_loop}
    return {"batch_size": settings.batch_size, "optimizer": settings.optimizer} | own


def batch_key(segment: Segment) -> str | None:
    """Equal for segments that `stacked_trainer.train_together` can train as one; None for one that trains alone."""
    shape = shape_key(segment)
    if shape is None:
        return None
    stretch = {"fold": segment.fold, "from": segment.from_budget, "to": segment.to_budget}
    return json.dumps([shape, stretch, segment.train.model_dump(mode="json")], sort_keys=True)


def _filled_up(width: int) -> int:
    """The next power of two.

    >>> [_filled_up(width) for width in (3, 16, 17, 64)]
    [16, 16, 32, 64]
    """
    return max(NARROWEST, 1 << (width - 1).bit_length())
