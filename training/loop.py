"""One training loop for every torch kind: an epoch at a time, with its whole state at hand; writes no file."""

import math
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import islice
from typing import Any

import torch
from torch.nn import functional

from pegbox.schemas.base import Metrics
from pegbox.schemas.failure import FailureKind
from pegbox.training.failures import failed
from pegbox.training.hyperparameters.optimisation import OptimisationHyperparameters
from pegbox.training.lr_schedules import is_constant, lr_factor
from pegbox.training.models.build import build_model
from pegbox.training.optimizers import build_optimizer
from pegbox.training.precision import Precision
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


class Learner:
    """A model with everything that changes while it learns."""

    def __init__(
        self,
        settings: OptimisationHyperparameters,
        fold: FoldTensors,
        *,
        n_epochs: int,
        seed: int,
        precision: Precision,
    ) -> None:
        """Build a fresh model; the random numbers of the whole process start from the seed.

        Args:
            settings: Hyperparameters of the kind.
            fold: The data, on the device to train on.
            n_epochs: The full budget, which the learning-rate schedule spans.
            seed: Decides weights, order of rows and dropout.
            precision: Of the arithmetic.
        """
        # Before the model is built: its first weights come from torch's global stream.
        torch.manual_seed(seed)
        self.settings, self.fold, self.precision = settings, fold, precision
        self.epoch = 0
        train = fold.parts["train"]
        self.device = train.target.device
        self.model = build_model(settings, fold.shape).to(self.device)
        self.class_weights = class_weights(fold) if settings.class_weights == "balanced" else None
        self.optimizer = build_optimizer(self.model.parameters(), settings)
        # A stream of its own: how many numbers dropout draws must not change the order of rows.
        self.order = torch.Generator().manual_seed(seed)
        self.batch_size = min(settings.batch_size, len(train))
        # A last batch of one row has no spread that a batch norm could divide by.
        self.n_rows = len(train) - 1 if len(train) % self.batch_size == 1 and self.batch_size > 1 else len(train)
        self.n_batches = math.ceil(self.n_rows / self.batch_size)
        self.n_steps = self.n_batches * n_epochs

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
        losses = [self._step(number, inputs, target) for number, inputs, target in self._batches()]
        self.epoch += 1
        weights = torch.full((len(losses),), float(self.batch_size), device=self.device)
        weights[-1] = self.n_rows - self.batch_size * (len(losses) - 1)
        # One transfer an epoch: a float of each step's loss would make the program wait for the GPU every time.
        train_loss = float((torch.stack(losses) * weights).sum() / self.n_rows)
        valid = self.fold.parts["valid"]
        metrics = {"train_loss": train_loss} | self.metrics_of(self.outputs(valid), valid)
        self.require_finite(metrics)
        return metrics | {"lr": self.optimizer.param_groups[0]["lr"]}

    def seconds_per_step(self, n_steps: int) -> float:
        """How long a step takes, the median of some; the learner is of no other use afterwards."""
        self.model.train()
        return median_seconds(partial(self._step, *batch) for batch in islice(self._batches(), n_steps))

    def require_finite(self, metrics: Metrics) -> None:
        """Refuse to go on from a loss that is not finite.

        Raises:
            TrialError: A loss is NaN or infinite.
        """
        for name in ("train_loss", "val_loss"):
            if not math.isfinite(metrics[name]):
                what = f"{name} became {metrics[name]} in epoch {self.epoch} at lr={self.settings.lr:g}"
                raise failed(FailureKind.DIVERGED, f"{what}. Lower lr, or clip gradients.")

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
        if not is_constant(self.settings):
            lr = self.settings.lr * lr_factor(self.settings, number, self.n_steps)
            for group in self.optimizer.param_groups:
                group["lr"] = lr
        with self.autocast():
            loss = self._loss(self.model(*inputs), target)
        self.optimizer.zero_grad()
        self.precision.backward(loss)
        if self.settings.clip is not None:
            # Unscaled first: the limit is meant for the true gradient.
            self.precision.unscale(self.optimizer)
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip)
        self.precision.step(self.optimizer)
        return loss.detach()

    def autocast(self) -> AbstractContextManager[Any]:
        """Mixed precision where the trial asks for it, else nothing."""
        return self.precision.autocast() if self.precision.is_mixed else nullcontext()

    def _loss(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        if self.fold.task == "regression":
            return functional.mse_loss(outputs, target)
        return functional.cross_entropy(
            outputs, target, weight=self.class_weights, label_smoothing=self.settings.label_smoothing
        )

    def metrics_of(self, outputs: torch.Tensor, part: PartTensors) -> Metrics:
        """Validation metrics of an epoch; they cross from the device together, at the end."""
        if self.fold.task == "classification":
            loss = functional.cross_entropy(outputs, part.target)
            accuracy = (outputs.argmax(dim=1) == part.target).float().mean()
            return dict(zip(("val_loss", "val_accuracy"), torch.stack([loss, accuracy]).tolist(), strict=True))
        error = outputs - part.target
        squared, absolute = torch.stack([error.square().mean(), error.abs().mean()]).tolist()
        scale = self.fold.target_std
        spread = float(part.target.var(correction=0))
        metrics = {"val_loss": squared, "val_rmse": squared**0.5 * scale, "val_mae": absolute * scale}
        return metrics | ({"val_r2": 1 - squared / spread} if spread > 0 else {})

    @torch.inference_mode()
    def outputs(self, part: PartTensors) -> torch.Tensor:
        """What the model says of every row, float32, shape (n_rows, n_outputs)."""
        self.model.eval()
        batches = zip(*(torch.split(tensor, MEASURED_ROWS) for tensor in part.inputs), strict=True)
        with self.autocast():
            return torch.cat([self.model(*inputs) for inputs in batches]).float()

    def state(self) -> dict[str, Any]:
        """Everything that continuing needs: weights, optimizer, place in the schedule, random numbers."""
        cuda = torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else None
        return {
            "epoch": self.epoch,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "precision": self.precision.state(),
            "random": {"process": torch.get_rng_state(), "cuda": cuda, "order": self.order.get_state()},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state, as if there had been no break."""
        self.epoch = state["epoch"]
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.precision.restore(state["precision"])
        torch.set_rng_state(state["random"]["process"])
        self.order.set_state(state["random"]["order"])
        if state["random"]["cuda"] is not None and self.device.type == "cuda":
            torch.cuda.set_rng_state(state["random"]["cuda"], self.device)
