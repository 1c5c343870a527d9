"""One training loop for every torch kind: an epoch at a time, with its whole state at hand; writes no file."""

import math
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from pegbox.schemas.base import Metrics
from pegbox.schemas.failure import FailureKind
from pegbox.training.failures import failed
from pegbox.training.gradient_step import GradientStep
from pegbox.training.hyperparameters.optimisation import OptimisationHyperparameters
from pegbox.training.metrics import Floats, Measured, classification_metrics, prefixed, regression_metrics
from pegbox.training.network import Network
from pegbox.training.precision import Precision
from pegbox.training.random_streams import random_state, restore_random_state, seed_everything
from pegbox.training.row_losses import rows_of_classes, rows_of_numbers
from pegbox.training.tensors import FoldTensors, PartTensors

# Picked by hand: one gather serves many batches, and its copy stays small beside the data.
GATHERED_BYTES = 64_000_000
"""Rows are brought into their random order in pieces of about this size, which then are cut into batches."""
# Picked by hand: bounds the memory of activations; larger pieces of a table gain little.
MEASURED_ROWS = 8192
"""Rows of a batch in which no gradient is needed."""


def median_seconds(steps: Iterable[Callable[[], object]]) -> float:
    """How long a step takes on a machine that may be busy; the first one only warms up, if others follow."""
    seconds = []
    for step in steps:
        started = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[1:] or seconds)


def class_weights(fold: FoldTensors) -> torch.Tensor | None:
    """n / (k n_c) for each class c of k, as scikit-learn's `balanced` has it, shape (n_classes,); None in regression.

    A class that the training rows lack weighs as if it had one.
    """
    if fold.task == "regression":
        return None
    counts = torch.bincount(fold.parts["train"].target, minlength=fold.shape.n_outputs).clamp(min=1)
    return counts.sum() / (len(counts) * counts.float())


def require_finite(metrics: Metrics, epoch: int, lr: float) -> None:
    """Refuse to go on from a loss that is not finite.

    Raises:
        TrialError: A loss is NaN or infinite.
    """
    for name in ("train_loss", "val_loss"):
        if not math.isfinite(metrics[name]):
            what = f"{name} became {metrics[name]} in epoch {epoch} at lr={lr:g}"
            raise failed(FailureKind.DIVERGED, f"{what}. Lower lr, or clip gradients.")


class Learner:
    """A model with everything that changes while it learns."""

    def __init__(
        self,
        settings: OptimisationHyperparameters,
        fold: FoldTensors,
        *,
        network: Network,
        n_epochs: int,
        seed: int,
        precision: Precision,
    ) -> None:
        """Build a fresh model; the random numbers of the whole process start from the seed.

        Args:
            settings: Hyperparameters of the kind.
            fold: The data, on the device to train on.
            network: What is built and learnt.
            n_epochs: The full budget, which the learning-rate schedule spans.
            seed: Decides weights, order of rows and dropout.
            precision: Of the arithmetic.
        """
        # Before the model is built: its first weights come from torch's global stream.
        seed_everything(seed)
        self.settings, self.fold, self.network = settings, fold, network
        self.epoch = 0
        train = fold.parts["train"]
        self.device = train.target.device
        self.model = network.build(fold.shape).to(self.device)
        self.class_weights = class_weights(fold) if settings.class_weights == "balanced" else None
        # A stream of its own: how many numbers dropout draws must not change the order of rows.
        self.order = torch.Generator().manual_seed(seed)
        self.batch_size = min(settings.batch_size, len(train))
        # A last batch of one row has no spread that a batch norm could divide by.
        self.n_rows = len(train) - 1 if len(train) % self.batch_size == 1 and self.batch_size > 1 else len(train)
        self.n_batches = math.ceil(self.n_rows / self.batch_size)
        self.n_steps = self.n_batches * n_epochs
        self.step = GradientStep(settings, self.model, precision, self.n_steps)

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """What changes the weights."""
        return self.step.optimizer

    @property
    def fingerprint(self) -> str:
        """Of the data."""
        return self.fold.fingerprint

    @property
    def n_parameters(self) -> int:
        """Number of weights."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    def train_epoch(self) -> Metrics:
        """Visit every training row once, then measure the validation part.

        Raises:
            TrialError: A loss became NaN or infinite.
        """
        self.model.train()
        losses = [self._step(*batch) for batch in self._batches()]
        self.epoch += 1
        weights = torch.full((len(losses),), float(self.batch_size), device=self.device)
        weights[-1] = self.n_rows - self.batch_size * (len(losses) - 1)
        # One transfer an epoch: a float of each step's loss would make the program wait for the GPU every time.
        train_loss = float((torch.stack(losses) * weights).sum() / self.n_rows)
        valid = self.fold.parts["valid"]
        metrics = {"train_loss": train_loss} | self.metrics_of(self.outputs(valid), valid)
        require_finite(metrics, self.epoch, self.settings.lr)
        return metrics | {"lr": self.step.lr}

    def seconds_per_step(self, n_steps: int) -> float:
        """How long a step takes, the median of some; the learner is of no other use afterwards."""
        self.model.train()
        return median_seconds(partial(self._step, *batch) for batch in islice(self._batches(), n_steps))

    def _batches(self) -> Iterator[tuple[int, tuple[torch.Tensor, ...], torch.Tensor]]:
        """Batches in random order, with the number of the step that each one is."""
        train = self.fold.parts["train"]
        tensors = (*train.inputs, train.target)
        row_bytes = sum(tensor[0].numel() * tensor.element_size() for tensor in tensors)
        piece = max(1, GATHERED_BYTES // max(1, row_bytes * self.batch_size)) * self.batch_size
        rows = torch.randperm(len(train), generator=self.order)[: self.n_rows].to(self.device)
        number = self.epoch * self.n_batches
        for chosen in torch.split(rows, piece):
            gathered = [torch.split(tensor.index_select(0, chosen), self.batch_size) for tensor in tensors]
            for *inputs, target in zip(*gathered, strict=True):
                yield number, tuple(inputs), target
                number += 1

    def _step(self, number: int, inputs: tuple[torch.Tensor, ...], target: torch.Tensor) -> torch.Tensor:
        return self.step.take(number, lambda: self.loss(self.model(*inputs), target))

    def autocast(self) -> AbstractContextManager[Any]:
        """Mixed precision where the trial asks for it, else nothing."""
        return self.step.autocast()

    def loss(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """The training loss of a batch."""
        if self.network.loss is not None:
            return self.network.loss(outputs, target)
        if self.fold.task == "regression":
            return functional.mse_loss(outputs, target)
        return functional.cross_entropy(
            outputs, target, weight=self.class_weights, label_smoothing=self.settings.label_smoothing
        )

    def metrics_of(self, outputs: torch.Tensor, part: PartTensors) -> Metrics:
        """Validation metrics of an epoch; they cross from the device together, at the end."""
        if self.fold.task == "classification":
            accuracy = (outputs.argmax(dim=1) == part.target).float().mean()
            loss = self.loss_of(outputs, part)
            metrics = dict(zip(("val_loss", "val_accuracy"), torch.stack([loss, accuracy]).tolist(), strict=True))
        else:
            metrics = self._errors_of(outputs, part)
        return metrics | prefixed("valid", self.own_metrics(outputs, part))

    def _errors_of(self, outputs: torch.Tensor, part: PartTensors) -> Metrics:
        error = outputs - part.target
        loss, squared, absolute = torch.stack(
            [self.loss_of(outputs, part), error.square().mean(), error.abs().mean()]
        ).tolist()
        scale = self.fold.target_std
        spread = float(part.target.var(correction=0))
        metrics = {"val_loss": loss, "val_rmse": squared**0.5 * scale, "val_mae": absolute * scale}
        return metrics | ({"val_r2": 1 - squared / spread} if spread > 0 else {})

    def loss_of(self, outputs: torch.Tensor, part: PartTensors) -> torch.Tensor:
        """The loss that is measured, without the smoothing and the weights that training may want."""
        if self.network.loss is not None:
            return self.network.loss(outputs, part.target)
        if self.fold.task == "classification":
            return functional.cross_entropy(outputs, part.target)
        return functional.mse_loss(outputs, part.target)

    def own_metrics(self, outputs: torch.Tensor, part: PartTensors) -> Measured:
        """What the network is measured by beside the metrics of its task."""
        if not self.network.metrics:
            return {}
        outputs, target = outputs.cpu(), torch.from_numpy(part.raw_target)
        if self.fold.task == "regression":
            outputs = outputs[:, 0].double() * self.fold.target_std + self.fold.target_mean
        return {name: metric(outputs, target) for name, metric in self.network.metrics.items()}

    def measure(self, part: str) -> Measured:
        """Every metric of a part of the data, finite or not.

        Raises:
            TrialError: The data have no such part.
        """
        if part not in self.fold.parts:
            raise failed(
                FailureKind.INVALID, f"no rows are held out for the part {part!r}. Set data.split.test above 0."
            )
        rows = self.fold.parts[part]
        outputs = self.outputs(rows)
        if self.fold.task == "classification":
            measured = classification_metrics(torch.log_softmax(outputs, dim=1).cpu().numpy(), rows.raw_target)
        else:
            measured = regression_metrics(self._numbers(outputs), rows.raw_target, self.fold.target_std)
        if self.network.loss is not None:
            measured["loss"] = float(self.loss_of(outputs, rows))
        return measured | self.own_metrics(outputs, rows)

    def rows_of(self, metric: str) -> Floats | None:
        """A metric of the validation part row by row; None of a loss or a metric of the user's own."""
        if metric in self.network.metrics or (metric == "loss" and self.network.loss is not None):
            return None
        rows = self.fold.parts["valid"]
        outputs = self.outputs(rows)
        if self.fold.task == "classification":
            return rows_of_classes(metric, torch.log_softmax(outputs, dim=1).cpu().numpy(), rows.raw_target)
        return rows_of_numbers(metric, self._numbers(outputs), rows.raw_target, self.fold.target_std)

    def _numbers(self, outputs: torch.Tensor) -> Floats:
        """What is predicted of a numeric target, in its own units."""
        return outputs[:, 0].cpu().numpy().astype(np.float64) * self.fold.target_std + self.fold.target_mean

    @torch.inference_mode()
    def outputs(self, part: PartTensors) -> torch.Tensor:
        """What the model says of every row, float32, shape (n_rows, n_outputs)."""
        self.model.eval()
        batches = zip(*(torch.split(tensor, MEASURED_ROWS) for tensor in part.inputs), strict=True)
        with self.autocast():
            return torch.cat([self.model(*inputs) for inputs in batches]).float()

    def state(self) -> dict[str, Any]:
        """Everything that continuing needs: weights, optimizer, place in the schedule, random numbers."""
        return {
            "epoch": self.epoch,
            "model": self.model.state_dict(),
            **self.step.state(),
            "random": {**random_state(self.device), "order": self.order.get_state()},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state, as if there had been no break."""
        self.epoch = state["epoch"]
        self.model.load_state_dict(state["model"])
        self.step.restore(state)
        restore_random_state(state["random"], self.device)
        self.order.set_state(state["random"]["order"])
