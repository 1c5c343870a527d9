"""A step of the optimizer, for every loop: learning rate of the schedule, gradient in its precision, clipping."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from pegbox.training.hyperparameters.optimisation import OptimisationHyperparameters
from pegbox.training.lr_schedules import is_constant, lr_factor
from pegbox.training.optimizers import build_optimizer
from pegbox.training.precision import Precision


class GradientStep:
    """A model's optimizer and what belongs to its steps.

    Args:
        settings: Hyperparameters of the kind.
        model: On the device to train on.
        precision: Of the arithmetic.
        n_steps: Of the full budget, which the learning-rate schedule spans.
    """

    def __init__(
        self, settings: OptimisationHyperparameters, model: torch.nn.Module, precision: Precision, n_steps: int
    ) -> None:
        self.settings, self.model, self.precision, self.n_steps = settings, model, precision, n_steps
        self.optimizer = build_optimizer(model.parameters(), settings)

    def take(self, number: int, compute_loss: Callable[[], torch.Tensor]) -> torch.Tensor:
        """Take a step, and give back its loss.

        Args:
            number: Of the step, from 0 at the beginning of the trial.
            compute_loss: The loss of a batch; called once, in the precision asked for.
        """
        if not is_constant(self.settings):
            lr = self.settings.lr * lr_factor(self.settings, number, self.n_steps)
            for group in self.optimizer.param_groups:
                group["lr"] = lr
        with self.autocast():
            loss = compute_loss()
        self.optimizer.zero_grad()
        self.precision.backward(loss)
        if self.settings.clip is not None:
            # Unscaled first: the limit is meant for the true gradient.
            self.precision.unscale(self.optimizer)
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip)
        self.precision.step(self.optimizer)
        return loss.detach()

    @property
    def lr(self) -> float:
        """The learning rate of the last step."""
        return float(self.optimizer.param_groups[0]["lr"])

    def autocast(self) -> AbstractContextManager[Any]:
        """Mixed precision where the trial asks for it, else nothing."""
        return self.precision.autocast() if self.precision.is_mixed else nullcontext()

    def state(self) -> dict[str, Any]:
        """What continuing needs."""
        return {"optimizer": self.optimizer.state_dict(), "precision": self.precision.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state, with the hyperparameters of today."""
        own = [{key: value for key, value in group.items() if key != "params"} for group in self.optimizer.param_groups]
        self.optimizer.load_state_dict(state["optimizer"])
        # A state brings the rates, decays and moments along that it was learnt with; a trial that was forked from
        # another has its own. Without a fork they are the same.
        for group, values in zip(self.optimizer.param_groups, own, strict=True):
            group.update(values)
        self.precision.restore(state["precision"])
