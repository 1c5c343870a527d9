"""From a segment to its learner: on prepared rows or own loaders, a model of pegbox's or of the user's."""

import json
from functools import partial
from typing import Any, Protocol

import torch
from pydantic import ValidationError

from pegbox.schemas.arrays import Splits
from pegbox.schemas.base import Configuration, Metrics
from pegbox.schemas.errors import DataError
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.train import ModuleTrain, TorchTrain, TrainSpec
from pegbox.schemas.trial import Segment
from pegbox.training.devices import choose_device
from pegbox.training.failures import failed
from pegbox.training.hyperparameters.optimisation import OptimisationHyperparameters
from pegbox.training.hyperparameters.torch_kinds import TORCH_KINDS
from pegbox.training.loader_loop import LoaderLearner
from pegbox.training.loop import Learner
from pegbox.training.metrics import Floats, Measured
from pegbox.training.models.build import build_model
from pegbox.training.network import Network
from pegbox.training.precision import Precision
from pegbox.training.tensors import fold_tensors
from pegbox.training.user_arguments import of_the_loop
from pegbox.training.user_network import user_network


class AnyLearner(Protocol):
    """What trains an epoch at a time and can be kept."""

    epoch: int
    settings: OptimisationHyperparameters
    device: torch.device
    model: torch.nn.Module

    @property
    def fingerprint(self) -> str:
        """Of the data."""
        ...

    @property
    def n_parameters(self) -> int:
        """Number of weights."""
        ...

    def train_epoch(self) -> Metrics:
        """Train an epoch and measure the validation part."""
        ...

    def measure(self, part: str) -> Measured:
        """Every metric of a part of the data."""
        ...

    def rows_of(self, metric: str) -> Floats | None:
        """A metric of the validation part row by row; None where it is not known so."""
        ...

    def state(self) -> dict[str, Any]:
        """Everything that continuing needs."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        ...


def learner_of(segment: Segment, data: Splits | None) -> AnyLearner:
    """A fresh learner for the segment's configuration, seed and data.

    Raises:
        TrialError: The configuration, the data or the user's code cannot be used.
        DataError: The target is for another task.
    """
    train = segment.train
    if not isinstance(train, ModuleTrain) or train.loaders is None:
        return table_learner(segment, data)
    return LoaderLearner(
        train,
        segment.configuration,
        settings_of(train, segment.configuration),
        seed=segment.seed,
        n_epochs=max(train.epochs, segment.to_budget),
        device=choose_device(train.device),
    )


def table_learner(segment: Segment, data: Splits | None) -> Learner:
    """A fresh learner on prepared rows.

    Raises:
        TrialError: The configuration or the user's code cannot be used, or there are no data.
        DataError: The target is for another task.
    """
    train = segment.train
    if not isinstance(train, TorchTrain | ModuleTrain):
        raise failed(FailureKind.INVALID, f"a torch trainer cannot train the kind {train.kind!r}.")
    if data is None:
        raise failed(FailureKind.INVALID, f"a {train.kind} needs data. Add `data:` to the study.")
    if train.task is not None and train.task != data.info.task:
        raise DataError(f"train.task is {train.task}, but the target is one of {data.info.task}. Correct train.task.")
    device = choose_device(train.device)
    settings = settings_of(train, segment.configuration)
    return Learner(
        settings,
        fold_tensors(data, segment.fold, device),
        network=network_of(train, segment.configuration, settings),
        n_epochs=max(train.epochs, segment.to_budget),
        seed=segment.seed,
        precision=Precision(train.precision, device),
    )


def network_of(
    train: TorchTrain | ModuleTrain, configuration: Configuration, settings: OptimisationHyperparameters
) -> Network:
    """What is trained: a model of pegbox's, or of the user's, whose code is imported.

    Raises:
        TrialError: The user's code cannot be used.
    """
    if isinstance(train, ModuleTrain):
        return user_network(train, configuration)
    return Network(build=partial(build_model, settings))


def settings_of(train: TrainSpec, configuration: Configuration) -> OptimisationHyperparameters:
    """The hyperparameters of a configuration.

    Raises:
        TrialError: They cannot be built, or the kind of training has none.
    """
    if not isinstance(train, TorchTrain | ModuleTrain):
        raise failed(FailureKind.INVALID, f"a torch trainer cannot train the kind {train.kind!r}.")
    values = dict(configuration)
    try:
        if isinstance(train, ModuleTrain):
            return OptimisationHyperparameters.model_validate(of_the_loop(train, values))
        return TORCH_KINDS[train.kind].model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"])) or train.kind
        message = f"the configuration cannot be built: {name}: {first['msg']} (got {first['input']!r})."
        raise failed(FailureKind.INVALID, message) from error


def recipe_of(segment: Segment, settings: OptimisationHyperparameters) -> str:
    """What two segments must share for one to continue the other."""
    own = segment.train.kind if isinstance(segment.train, TorchTrain) else dict(segment.configuration)
    content = {"kind": own, "seed": segment.seed, **settings.model_dump(mode="json")}
    return json.dumps(content, sort_keys=True)
