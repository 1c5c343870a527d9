"""AdamW, Adam and SGD for stacked weights: one update for all models, each with settings of its own."""

from collections.abc import Sequence

import torch

from pegbox.training.hyperparameters.optimisation import OptimisationHyperparameters

# torch's default of Adam and AdamW.
EPSILON = 1e-8


class StackedOptimizer:
    """Updates weights of shape (n_models, n_weights) exactly as torch's optimizers would update each row."""

    def __init__(self, settings: Sequence[OptimisationHyperparameters], weights: torch.Tensor) -> None:
        self.name = settings[0].optimizer
        self.weights = weights
        self.steps = 0

        def column(values: Sequence[float]) -> torch.Tensor:
            return torch.tensor(values, dtype=weights.dtype, device=weights.device)[:, None]

        self.lr = column([one.lr for one in settings])
        self._decay = column([one.weight_decay for one in settings])
        self._has_decay = bool(self._decay.any())
        self._momentum = column([one.momentum for one in settings])
        self._nesterov = column([float(one.nesterov and one.momentum > 0) for one in settings])
        self._betas = [[one.beta1 for one in settings], [one.beta2 for one in settings]]
        self._beta1, self._beta2 = column(self._betas[0]), column(self._betas[1])
        self._column = column
        # Of sgd only the first is used: the velocity.
        self.moments = [torch.zeros_like(weights, requires_grad=False) for _ in range(1 if self.name == "sgd" else 2)]

    @torch.no_grad()
    def step(self, gradient: torch.Tensor) -> None:
        """One update; the gradient is changed in place."""
        self.steps += 1
        if self.name == "sgd":
            self._step_sgd(gradient)
        else:
            self._step_adam(gradient)

    def _step_sgd(self, gradient: torch.Tensor) -> None:
        if self._has_decay:
            gradient.addcmul_(self.weights, self._decay)
        velocity = self.moments[0].mul_(self._momentum).add_(gradient)
        # Nesterov's form looks one step ahead along the velocity (Sutskever et al. 2013).
        ahead = torch.where(self._nesterov > 0, gradient + self._momentum * velocity, velocity)
        self.weights.addcmul_(self.lr, ahead, value=-1)

    def _step_adam(self, gradient: torch.Tensor) -> None:
        if self._has_decay and self.name == "adamw":
            # Decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2), before the step as in torch.
            self.weights.mul_(1 - self.lr * self._decay)
        elif self._has_decay:
            gradient.addcmul_(self.weights, self._decay)
        mean, square = self.moments
        mean.lerp_(gradient, 1 - self._beta1)
        square.mul_(self._beta2).addcmul_(gradient, (1 - self._beta2) * gradient)
        # Kingma & Ba 2015, algorithm 1, with both corrections for the start at zero.
        rate = self.lr / self._column([1 - beta**self.steps for beta in self._betas[0]])
        root = self._column([(1 - beta**self.steps) ** 0.5 for beta in self._betas[1]])
        self.weights.addcdiv_(mean * rate, square.sqrt().div_(root).add_(EPSILON), value=-1)
