"""Early stopping: remembers the best epoch and says when waiting for a better one is over."""

import copy
import math
from typing import Any

from torch import nn


class Patience:
    """Watches the validation loss; does nothing where no patience is set."""

    def __init__(self, epochs: int | None) -> None:
        self.epochs = epochs
        self.best_loss = math.inf
        self.best_epoch = 0
        self.weights: dict[str, Any] | None = None

    def is_better(self, loss: float) -> bool:
        """True if the weights of an epoch of this loss are to be kept."""
        # Strictly less, so that NaN never is the best.
        return self.epochs is not None and loss < self.best_loss

    def watch(self, epoch: int, loss: float, model: nn.Module) -> None:
        """Take note of an epoch; the weights of the best one are kept."""
        if self.is_better(loss):
            self.best_loss, self.best_epoch = loss, epoch
            # A copy: a state_dict shares its tensors with the model, and the next step would change them.
            self.weights = copy.deepcopy(model.state_dict())

    def is_over(self, epoch: int) -> bool:
        """True if the last epochs, as many as asked, brought nothing better."""
        return self.epochs is not None and epoch - self.best_epoch >= self.epochs and epoch > 0

    def state(self) -> dict[str, Any]:
        """What continuing needs."""
        return {"best_loss": self.best_loss, "best_epoch": self.best_epoch, "weights": self.weights}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.best_loss, self.best_epoch, self.weights = state["best_loss"], state["best_epoch"], state["weights"]
