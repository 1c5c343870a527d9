"""Epochs of a stack of learners of one shape: the same steps as `loop`, for all models at once."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, cast

import torch
from torch.nn import functional

from pegbox.schemas.base import Metrics
from pegbox.training.hyperparameters.mlp import MlpHyperparameters
from pegbox.training.loop import MEASURED_ROWS, Learner, median_seconds
from pegbox.training.lr_schedules import is_constant, lr_factor
from pegbox.training.models.mlp import Mlp
from pegbox.training.stacked_dropout import StackedDropout
from pegbox.training.stacked_modules import StackedModules
from pegbox.training.stacked_network import StackedNetwork
from pegbox.training.stacked_optimizer import StackedOptimizer
from pegbox.training.user_module import UserModule

# Picked by hand: 16 MB of float32 for each layer's outputs.
MEASURED_NUMBERS = 4_000_000
"""Rows that are measured at once, times models, times the widest layer, stay below this."""


class Stack:
    """Trains all learners an epoch at a time; each draws its rows and its dropout from random numbers of its own."""

    def __init__(self, learners: Sequence[Learner], random_states: Sequence[torch.Tensor]) -> None:
        """Stack the learners' weights and what their optimizers remember.

        Args:
            learners: Of one shape, all at the same epoch.
            random_states: Torch's global random state of each learner, from which its dropout goes on.
        """
        self.learners = learners
        self.first = learners[0]
        self.settings = [learner.settings for learner in learners]
        self.network = _stacked(learners)
        self.optimizer = StackedOptimizer(self.settings, self.network.weights)
        self._adopt_optimizers()
        self.random = [torch.Generator().set_state(state) for state in random_states]
        device = self.first.device
        self._smoothing = torch.tensor([one.label_smoothing for one in self.settings], device=device)
        self._class_weights = self._stacked_class_weights()
        self._clip = torch.tensor([one.clip or torch.inf for one in self.settings], device=device)
        own = [one for one in self.settings if isinstance(one, MlpHyperparameters)]
        self._dropout = StackedDropout(own, self.random, self.first.batch_size, device) if own else None
        self._epoch = self.first.epoch
        self._n_steps = 0

    def train_epoch(self) -> list[Metrics]:
        """Visit every training row once with every model, then measure the validation part."""
        losses = []
        for number, inputs, target in self.batches():
            losses.append(self._step(number, inputs, target))
        self._epoch += 1
        self._n_steps += len(losses)
        sizes = torch.full((len(losses), 1), float(self.first.batch_size), device=self.first.device)
        sizes[-1] = self.first.n_rows - self.first.batch_size * (len(losses) - 1)
        train_losses = ((torch.stack(losses) * sizes).sum(dim=0) / self.first.n_rows).tolist()
        rates = self.optimizer.lr[:, 0].tolist()
        return [
            {"train_loss": train_loss} | measured | {"lr": lr}
            for train_loss, measured, lr in zip(train_losses, self._measure(), rates, strict=True)
        ]

    def batches(self) -> Iterator[tuple[int, list[torch.Tensor], torch.Tensor]]:
        """For each step the rows of every model: inputs (n_models, n_rows, ...), target (n_models, n_rows, ...)."""
        train = self.first.fold.parts["train"]
        orders = torch.stack(
            [torch.randperm(len(train), generator=learner.order)[: self.first.n_rows] for learner in self.learners]
        ).to(self.first.device)
        for number, rows in enumerate(torch.split(orders, self.first.batch_size, dim=1)):
            inputs = [tensor[rows] for tensor in train.inputs]
            yield self._epoch * self.first.n_batches + number, inputs, train.target[rows]

    def _step(self, number: int, inputs: list[torch.Tensor], target: torch.Tensor) -> torch.Tensor:
        if not all(is_constant(one) for one in self.settings):
            rates = [one.lr * lr_factor(one, number, self.first.n_steps) for one in self.settings]
            self.optimizer.lr = torch.tensor(rates, device=self.first.device)[:, None]
        weights = self.network.weights
        weights.grad = None
        with self.first.autocast():
            masks = self._dropout.masks(target.shape[1]) if self._dropout else None
            losses = self.losses_of(self.network.forward(inputs, masks, training=True), target)
        # The sum mixes nothing: each loss depends on its own row of weights alone.
        losses.sum().backward()  # type: ignore[no-untyped-call]
        assert weights.grad is not None
        if any(one.clip for one in self.settings):
            lengths = weights.grad.norm(dim=1)
            # The 1e-6 is that of torch's clip_grad_norm_, so that clipping alone and in a stack agree.
            weights.grad.mul_((self._clip / (lengths + 1e-6)).clamp(max=1.0)[:, None])
        self.optimizer.step(weights.grad)
        return losses.detach()

    def losses_of(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Loss of each model, shape (n_models,)."""
        if self.first.network.loss is not None:  # each has arguments of its own
            each = zip(self.learners, outputs, target, strict=True)
            return torch.stack([learner.loss(output, wanted) for learner, output, wanted in each])
        if self.first.fold.task == "regression":
            return (outputs.float() - target).square().mean(dim=(1, 2))
        log_probabilities = functional.log_softmax(outputs.float(), dim=2)
        missed = -log_probabilities.gather(2, target[:, :, None])[:, :, 0]
        if self._class_weights is None:
            chosen, spread = missed.mean(dim=1), -log_probabilities.mean(dim=2).mean(dim=1)
        else:
            rows = self._class_weights.gather(1, target)
            total = rows.sum(dim=1)
            chosen = (missed * rows).sum(dim=1) / total
            spread = -(log_probabilities * self._class_weights[:, None]).mean(dim=2).sum(dim=1) / total
        if not any(one.label_smoothing for one in self.settings):
            return chosen
        return (1 - self._smoothing) * chosen + self._smoothing * spread

    def _stacked_class_weights(self) -> torch.Tensor | None:
        """Weights of each model's classes, shape (n_models, n_classes); None where no model has any."""
        weights = [learner.class_weights for learner in self.learners]
        if all(one is None for one in weights):
            return None
        ones = torch.ones(self.first.fold.shape.n_outputs, device=self.first.device)
        return torch.stack([ones if one is None else one for one in weights])

    @torch.no_grad()
    def _measure(self) -> list[Metrics]:
        """Validation metrics of each model."""
        part = self.first.fold.parts["valid"]
        widest = max(part.inputs[0].shape[1], self.network.widest)
        rows = max(1, min(MEASURED_ROWS, MEASURED_NUMBERS // (len(self.learners) * widest)))
        pieces = zip(*(torch.split(tensor, rows) for tensor in part.inputs), strict=True)
        with self.first.autocast():
            outputs = [self.network.forward([tensor[None] for tensor in inputs], training=False) for inputs in pieces]
        each = zip(self.learners, torch.cat(outputs, dim=1).float(), strict=True)
        return [learner.metrics_of(one, part) for learner, one in each]

    def seconds_per_step(self, n_steps: int) -> float:
        """How long a step of all models takes, the median of some; the stack is of no other use afterwards."""
        return median_seconds(partial(self._step, *batch) for batch in islice(self.batches(), n_steps))

    def write_back(self, place: int) -> None:
        """Give one learner the weights, optimizer and random numbers that it has reached in the stack."""
        learner = self.learners[place]
        self.network.write_back(place, cast("Any", learner.model), self._n_steps)
        names = ("momentum_buffer",) if self.optimizer.name == "sgd" else ("exp_avg", "exp_avg_sq")
        moments = [self.network.split(moment, place) for moment in self.optimizer.moments]
        steps = {} if self.optimizer.name == "sgd" else {"step": float(self.optimizer.steps)}
        for number, parameter in enumerate(self.network.parameters_of(cast("Any", learner.model))):
            state = {name: moment[number] for name, moment in zip(names, moments, strict=True)}
            learner.optimizer.state[parameter] = {key: torch.tensor(value) for key, value in steps.items()} | state
        for group in learner.optimizer.param_groups:
            group["lr"] = float(self.optimizer.lr[place])
        torch.set_rng_state(self.random[place].get_state())

    def _adopt_optimizers(self) -> None:
        """Go on from what the learners' own optimizers remember."""
        if self.first.epoch == 0:
            return
        names = ("momentum_buffer",) if self.optimizer.name == "sgd" else ("exp_avg", "exp_avg_sq")
        for moment, name in zip(self.optimizer.moments, names, strict=True):
            for row, learner in zip(moment, self.learners, strict=True):
                own = self.network.parameters_of(cast("Any", learner.model))
                states = [learner.optimizer.state[parameter].get(name) for parameter in own]
                if all(state is not None for state in states):
                    row.copy_(self.network.join(states))
        self.optimizer.steps = self.first.epoch * self.first.n_batches


def _stacked(learners: Sequence[Learner]) -> StackedNetwork | StackedModules:
    if isinstance(learners[0].model, UserModule):
        return StackedModules([cast("UserModule", learner.model) for learner in learners])
    models = [cast("Mlp", learner.model) for learner in learners]
    return StackedNetwork(models, cast("MlpHyperparameters", learners[0].settings))
