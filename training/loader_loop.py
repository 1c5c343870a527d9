"""Trains a user's module on batches of the user's own `DataLoader`s, of any structure, an epoch at a time."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch.nn import functional

from pegbox.schemas.base import Configuration, Metrics
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.train import ModuleTrain
from pegbox.training.failures import failed
from pegbox.training.gradient_step import GradientStep
from pegbox.training.hyperparameters.optimisation import OptimisationHyperparameters
from pegbox.training.loader_batches import Batch, batch_of, loaders_of, made_loaders
from pegbox.training.loop import require_finite
from pegbox.training.lr_schedules import is_constant
from pegbox.training.metrics import Floats, Measured, prefixed
from pegbox.training.precision import Precision
from pegbox.training.random_streams import random_state, restore_random_state, seed_everything
from pegbox.training.user_arguments import loop_names
from pegbox.training.user_code import import_function
from pegbox.training.user_network import (
    bound,
    loss_arguments,
    made_by,
    own_loss,
    own_metrics,
    refuse_untaken,
    required_module,
    taken_by,
)


class LoaderLearner:
    """What `loop.Learner` is for prepared rows: a model with everything that changes while it learns."""

    fingerprint = ""
    """Of prepared data, of which there is none: own data is known by the code that loads it."""

    def __init__(
        self,
        train: ModuleTrain,
        configuration: Configuration,
        settings: OptimisationHyperparameters,
        *,
        seed: int,
        n_epochs: int,
        device: torch.device,
    ) -> None:
        """Build fresh loaders and a fresh model; the random numbers of the whole process start from the seed.

        Raises:
            TrialError: A path leads nowhere, or what it gives cannot be trained.
        """
        # Before anything of the user's runs: loaders and first weights come from the global streams.
        seed_everything(seed)
        self.settings, self.device, self.epoch = settings, device, 0
        self.path = train.module
        maker, loading = made_by(train.module), import_function(train.loaders or "")
        loss = import_function(train.loss) if train.loss else None
        takers = [taken_by(maker), taken_by(loading), *([loss_arguments(loss)] if loss else [])]
        refuse_untaken(configuration, train, takers)
        self.loss = own_loss(loss, train, configuration) if loss else None
        self.metrics = own_metrics(train)
        self.loaders = _loaders(train, loading, configuration, settings)
        arguments = bound(train.module, taken_by(maker), configuration, loop_names(train))
        self.model = required_module(train.module, maker(**arguments)).to(device)
        n_batches = _length(self.loaders["train"])
        if n_batches is None and not is_constant(settings):
            message = f"the training batches of {train.loaders} have no length, which a learning-rate schedule spans. "
            raise failed(FailureKind.INVALID, f"{message}Give them a __len__, or leave lr_schedule and warmup out.")
        self.n_batches = n_batches or 0
        self.step = GradientStep(settings, self.model, Precision(train.precision, device), self.n_batches * n_epochs)

    @property
    def n_parameters(self) -> int:
        """Number of weights."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    def train_epoch(self) -> Metrics:
        """Visit every training batch once, then measure the validation part.

        Raises:
            TrialError: A batch or an answer has a form that cannot be used, or a loss became NaN or infinite.
        """
        self.model.train()
        losses, sizes = [], []
        for number, batch in enumerate(self._batches("train"), start=self.epoch * self.n_batches):
            losses.append(self.step.take(number, lambda batch=batch: self._loss(batch, self._answer(batch))))  # type: ignore[misc]
            sizes.append(batch.n_rows)
        self.epoch += 1
        if not losses:
            raise failed(FailureKind.INVALID, "the part 'train' of the loaders gave no batches.")
        # One transfer an epoch: a float of each step's loss would make the program wait for the GPU every time.
        weights = torch.tensor(sizes, dtype=torch.float32, device=self.device)
        train_loss = float((torch.stack(losses).float() * weights).sum() / weights.sum())
        metrics = {"train_loss": train_loss} | prefixed("valid", self.measure("valid"))
        require_finite(metrics, self.epoch, self.settings.lr)
        return metrics | {"lr": self.step.lr}

    def rows_of(self, metric: str) -> Floats | None:
        """None: own loaders give batches, and what is measured of these is the user's."""
        return None

    @torch.no_grad()
    def measure(self, part: str) -> Measured:
        """Every metric of a part of the data, finite or not: the mean of the loss over its rows, and what is asked for.

        Raises:
            TrialError: The loaders have no such part, or a metric of the user's wants one tensor and gets several.
        """
        if part not in self.loaders:
            raise failed(FailureKind.INVALID, f"the loaders give no rows for the part {part!r}.")
        self.model.eval()
        loss, n_rows, kept = torch.zeros((), device=self.device), 0, []
        for batch in self._batches(part):
            with self.step.autocast():
                answer = self._answer(batch)
                loss += self._loss(batch, answer).float() * batch.n_rows
            n_rows += batch.n_rows
            kept.append((answer, batch.target))
        if not n_rows:
            raise failed(FailureKind.INVALID, f"the part {part!r} of the loaders gave no batches.")
        return {"loss": float(loss / n_rows), **self._further(kept)}

    def _further(self, kept: Sequence[tuple[Any, Any]]) -> Measured:
        """Accuracy where classes are told apart by the loop's own loss, and the user's metrics over all rows."""
        tensors = [(answer, target) for answer, target in kept if _are_tensors(answer, target)]
        if len(tensors) < len(kept):
            if self.metrics:
                name = next(iter(self.metrics))
                message = f"train.metrics measures {name!r} of all outputs as one tensor, and {self.path} gave others. "
                raise failed(FailureKind.INVALID, f"{message}Return one tensor, or report from a function of yours.")
            return {}
        outputs = torch.cat([answer for answer, _ in tensors]).float().cpu()
        target = torch.cat([one for _, one in tensors]).cpu()
        found: Measured = {}
        if self.loss is None and not target.is_floating_point():
            found["accuracy"] = float((outputs.argmax(dim=1) == target).float().mean())
        return found | {name: metric(outputs, target) for name, metric in self.metrics.items()}

    def _batches(self, part: str) -> Iterable[Batch]:
        return (batch_of(raw, self.device, part) for raw in self.loaders[part])

    def _answer(self, batch: Batch) -> Any:
        return self.model(*batch.inputs, **batch.named)

    def _loss(self, batch: Batch, answer: Any) -> torch.Tensor:
        if self.loss is not None:
            return self.loss(answer, batch.target)
        if not _are_tensors(answer, batch.target):
            message = (
                f"{self.path} gave {type(answer).__name__}, and pegbox's own losses take one tensor and a target. "
            )
            raise failed(FailureKind.INVALID, f"{message}Return the scores alone, or name your own `loss`.")
        if not batch.target.is_floating_point():
            return functional.cross_entropy(answer, batch.target, label_smoothing=self._smoothing())
        if answer.shape != batch.target.shape:
            shapes = f"{tuple(answer.shape)} and {tuple(batch.target.shape)}"
            message = f"outputs and targets of the squared error must have one shape, got {shapes} from {self.path}."
            raise failed(FailureKind.INVALID, message)
        return functional.mse_loss(answer, batch.target)

    def _smoothing(self) -> float:
        return self.settings.label_smoothing if self.model.training else 0.0

    def state(self) -> dict[str, Any]:
        """Everything that continuing needs."""
        return {
            "epoch": self.epoch,
            "model": self.model.state_dict(),
            **self.step.state(),
            "random": random_state(self.device),
            "generators": {part: one.get_state() for part, one in self._generators().items()},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state, as if there had been no break."""
        self.epoch = state["epoch"]
        self.model.load_state_dict(state["model"])
        self.step.restore(state)
        restore_random_state(state["random"], self.device)
        for part, generator in self._generators().items():
            generator.set_state(state["generators"][part])

    def _generators(self) -> dict[str, torch.Generator]:
        """The streams that loaders shuffle with where they have one of their own; others draw from the global one."""
        owners = {part: getattr(loader, "generator", None) for part, loader in self.loaders.items()}
        return {part: owner for part, owner in owners.items() if isinstance(owner, torch.Generator)}


def _loaders(
    train: ModuleTrain,
    loading: Callable[..., Any],
    configuration: Configuration,
    settings: OptimisationHyperparameters,
) -> dict[str, Any]:
    path, taken = train.loaders or "", taken_by(loading)
    offered = {"batch_size": settings.batch_size, **configuration}
    made = loading(**bound(path, taken, offered, loop_names(train)))
    return made_loaders(
        loaders_of(made, path),
        path,
        batch_size=settings.batch_size,
        is_asked_for="batch_size" in configuration and "batch_size" not in taken.names,
    )


def _are_tensors(answer: Any, target: Any) -> bool:
    return isinstance(answer, torch.Tensor) and isinstance(target, torch.Tensor)


def _length(loader: Any) -> int | None:
    try:
        return len(loader)
    except TypeError:  # an iterable without a length
        return None
