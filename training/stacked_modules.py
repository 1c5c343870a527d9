"""Many modules of a user's class as one, by `torch.func.vmap`: weights and buffers have a leading dimension of models.

What vmap cannot do as a module does it alone, such as to draw random numbers, `stack_check` finds.
"""

from collections.abc import Sequence

import torch
from torch import nn
from torch.func import functional_call, vmap

from pegbox.schemas.failure import FailureKind
from pegbox.training.failures import failed
from pegbox.training.user_module import UserModule

State = dict[str, torch.Tensor]


class StackedModules:
    """Trained weights of all modules in one matrix, shape (n_models, n_weights), in the order of `parameters()`.

    Args:
        models: Made with equal arguments.

    Raises:
        TrialError: They were made with others, or hold what no matrix holds.
    """

    def __init__(self, models: Sequence[UserModule]) -> None:
        self.first = models[0]
        for model in models:
            _require_alike(self.first, model)
        named = {name: one for name, one in self.first.inner.named_parameters() if one.requires_grad}
        self._shapes = {name: one.shape for name, one in named.items()}
        self._sizes = [shape.numel() for shape in self._shapes.values()]
        self.weights = torch.stack([self.join(self.parameters_of(model)) for model in models]).requires_grad_()
        states = [self.kept_of(model) for model in models]
        self.kept: State = {name: torch.stack([state[name] for state in states]) for name in states[0]}

    @property
    def widest(self) -> int:
        """Numbers of a row that are held at once; 1, as only running the module would tell."""
        return 1

    def forward(
        self, inputs: Sequence[torch.Tensor], masks: Sequence[torch.Tensor] | None = None, *, training: bool
    ) -> torch.Tensor:
        """Outputs, shape (n_models, n_rows, n_outputs).

        Args:
            inputs: As for `StackedNetwork.forward`.
            masks: None: a module that drops units trains alone.
            training: Buffers, such as the moments of batch norms, are kept.
        """
        self.first.inner.train(training)
        n_models, n_rows = inputs[0].shape[:2]
        flat = self.first.inputs_of(*(one.flatten(0, 1) for one in inputs))
        rows = tuple(one.view(n_models, n_rows, *one.shape[1:]) for one in flat)
        # Rows that all models share are given to vmap once.
        rows, place = (rows, 0) if n_models == len(self.weights) else (tuple(one[0] for one in rows), None)
        parts = torch.split(self.weights, self._sizes, dim=1)
        weights = {
            name: part.view(len(part), *shape) for (name, shape), part in zip(self._shapes.items(), parts, strict=True)
        }
        outputs, kept = vmap(self._call, in_dims=(0, 0, place), randomness="error")(weights, self.kept, rows)
        if training:
            self.kept = {name: one.detach() for name, one in kept.items()}
        return outputs

    def _call(self, weights: State, kept: State, rows: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, State]:
        state = {**weights, **kept}
        outputs = self.first.checked(functional_call(self.first.inner, state, rows), len(rows[0]))
        return outputs, {name: state[name] for name in kept}

    @torch.no_grad()
    def write_back(self, place: int, model: UserModule, n_steps: int) -> None:
        """Give one module its weights and buffers."""
        for part, parameter in zip(self.split(self.weights, place), self.parameters_of(model), strict=True):
            parameter.copy_(part)
        for name, buffer in model.inner.named_buffers():
            buffer.copy_(self.kept[name][place])

    def parameters_of(self, model: UserModule) -> list[nn.Parameter]:
        """Those that are trained, in the order of a row."""
        return [one for one in model.inner.parameters() if one.requires_grad]

    def kept_of(self, model: UserModule) -> State:
        """Weights that are not trained, and buffers."""
        frozen = {name: one.detach() for name, one in model.inner.named_parameters() if not one.requires_grad}
        return {**frozen, **dict(model.inner.named_buffers())}

    def join(self, parts: Sequence[torch.Tensor]) -> torch.Tensor:
        """One model's weights, or something of their shapes, as a row."""
        return torch.cat([part.detach().flatten() for part in parts])

    def split(self, rows: torch.Tensor, place: int) -> list[torch.Tensor]:
        """One row of weights, or of something of their shape, as one tensor for each trained parameter."""
        parts = zip(torch.split(rows[place], self._sizes), self._shapes.values(), strict=True)
        return [part.view(shape).clone() for part, shape in parts]


def _require_alike(first: UserModule, other: UserModule) -> None:
    """Refuse modules whose state no matrix holds, or that one module cannot stand for.

    Raises:
        TrialError: There are such.
    """
    shapes = [
        [(name, one.shape, one.requires_grad) for name, one in each.inner.named_parameters()] for each in (first, other)
    ]
    if first.arguments != other.arguments or shapes[0] != shapes[1]:
        raise failed(FailureKind.INVALID, f"{first.path} was made with other arguments, and only equal ones stack.")
    if any(one.dtype != torch.float32 for one in other.parameters()):
        raise failed(FailureKind.INVALID, f"{first.path} has weights that are no float32, which do not stack.")
    if any(type(one).get_extra_state is not nn.Module.get_extra_state for one in other.modules()):
        raise failed(FailureKind.INVALID, f"{first.path} keeps extra state beside its buffers, which does not stack.")
