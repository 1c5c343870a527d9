"""Many multilayer perceptrons as one, in the manner of vmap: every weight has a leading dimension of models.

Layers of different widths are filled up with zeros to the widest. They stay zeros, because every activation is 0 at
0: no gradient reaches them, and nothing that they give reaches the outputs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from pegbox.training.hyperparameters.mlp import MlpHyperparameters
from pegbox.training.models.layers import build_activation
from pegbox.training.models.mlp import Mlp

MIX = 0.1
"""Weight of the newest batch in the running moments of a batch norm, as in torch."""
# torch's default of batch and layer norms: a stacked model must be what it would be alone.
EPSILON = 1e-5


@dataclass(slots=True)
class _Moments:
    """Running moments of one batch norm, shape (n_models, width) each."""

    mean: torch.Tensor
    var: torch.Tensor
    n_batches: int


class StackedNetwork:
    """Weights of `n_models` networks in one matrix, shape (n_models, n_weights), in the order of `parameters()`."""

    def __init__(self, models: Sequence[Mlp], settings: MlpHyperparameters) -> None:
        self.settings = settings
        self.inputs = models[0].inputs
        self.activation = build_activation(settings.activation)
        self._own_shapes = [[parameter.shape for parameter in model.parameters()] for model in models]
        self._shapes = [torch.Size(map(max, *shapes)) for shapes in zip(*self._own_shapes, strict=True)]
        self._sizes = [shape.numel() for shape in self._shapes]
        self.weights = torch.stack([self.join(self.parameters_of(model)) for model in models]).requires_grad_()
        self._moments = [_stack_moments(norms) for norms in zip(*(_batch_norms(one) for one in models), strict=True)]

    @property
    def widest(self) -> int:
        """Numbers of a row that are held at once, in the widest layer."""
        return max(shape[0] for shape in self._shapes)

    def parameters_of(self, model: Mlp) -> list[nn.Parameter]:
        """Those of a row, in its order."""
        return [*model.parameters()]

    def forward(
        self, inputs: Sequence[torch.Tensor], masks: Sequence[torch.Tensor] | None = None, *, training: bool
    ) -> torch.Tensor:
        """Outputs, shape (n_models, n_rows, n_outputs).

        Args:
            inputs: Numeric columns, shape (n_models, n_rows, n_numeric), or (1, n_rows, n_numeric) where all models
                read the same rows; then, where there are any, the codes of categorical columns.
            masks: Of each layer, shape (n_models, n_rows, width); None where nothing is dropped.
            training: Batch norms take the moments of the rows, and keep them.
        """
        n_models = len(self.weights)
        parts = [
            part.view(n_models, *shape)
            for part, shape in zip(torch.split(self.weights, self._sizes, dim=1), self._shapes, strict=True)
        ]
        parts.reverse()
        states = self._join(inputs, parts, n_models)
        moments = iter(self._moments)
        for layer in range(len(self.settings.widths)):
            states = _linear(states, parts, has_bias=self.settings.norm != "batch")
            states = self.activation(self._normed(states, parts, moments, training=training))
            states = states * masks[layer] if masks else states
        return _linear(states, parts, has_bias=True)

    def _join(self, inputs: Sequence[torch.Tensor], parts: list[torch.Tensor], n_models: int) -> torch.Tensor:
        """Numbers and categories as one vector a row, as `TableInputs` does it for one model."""
        numeric, *rest = inputs
        if not rest:
            return numeric.expand(n_models, -1, -1)
        codes = rest[0].expand(n_models, -1, -1)
        if self.inputs.onehot:
            vectors = [
                functional.one_hot(codes[:, :, column], cardinality).to(numeric.dtype)
                for column, cardinality in enumerate(self.inputs.cardinalities)
            ]
        else:
            which = torch.arange(n_models, device=codes.device)[:, None]
            vectors = [parts.pop()[which, codes[:, :, column]] for column in range(codes.shape[2])]
        return torch.cat([numeric.expand(n_models, -1, -1), *vectors], dim=2)

    def _normed(
        self, states: torch.Tensor, parts: list[torch.Tensor], moments: Iterator[_Moments], *, training: bool
    ) -> torch.Tensor:
        if self.settings.norm == "none":
            return states
        scale, shift = parts.pop(), parts.pop()
        if self.settings.norm == "layer":
            flat = functional.layer_norm(states, states.shape[-1:], eps=EPSILON)
            return flat * scale[:, None] + shift[:, None]
        kept = next(moments)
        n_models, n_rows, width = states.shape
        # One norm over models times width columns is what a norm of each model is.
        columns = states.transpose(0, 1).reshape(n_rows, n_models * width)
        normed = functional.batch_norm(
            columns,
            kept.mean.view(-1),
            kept.var.view(-1),
            scale.reshape(-1),
            shift.reshape(-1),
            training=training,
            momentum=MIX,
            eps=EPSILON,
        )
        return normed.view(n_rows, n_models, width).transpose(0, 1)

    @torch.no_grad()
    def write_back(self, place: int, model: Mlp, n_steps: int) -> None:
        """Give one model its weights and the moments of its norms."""
        for part, parameter in zip(self.split(self.weights, place), self.parameters_of(model), strict=True):
            parameter.copy_(part)
        for kept, norm in zip(self._moments, _batch_norms(model), strict=True):
            norm.load_state_dict(
                norm.state_dict()
                | {
                    "running_mean": kept.mean[place, : norm.num_features],
                    "running_var": kept.var[place, : norm.num_features],
                    "num_batches_tracked": torch.tensor(kept.n_batches + n_steps),
                }
            )

    def join(self, parts: Sequence[torch.Tensor]) -> torch.Tensor:
        """One model's weights, or something of their shapes, as a row."""
        return torch.cat(
            [_filled_up(part.detach(), shape).flatten() for part, shape in zip(parts, self._shapes, strict=True)]
        )

    def split(self, rows: torch.Tensor, place: int) -> list[torch.Tensor]:
        """One row of weights, or of something of their shape, as one tensor for each parameter of that model."""
        parts = zip(torch.split(rows[place], self._sizes), self._shapes, self._own_shapes[place], strict=True)
        return [part.view(shape)[tuple(map(slice, own))].clone() for part, shape, own in parts]


def _filled_up(part: torch.Tensor, shape: Sequence[int]) -> torch.Tensor:
    """The tensor with zeros behind it in every dimension."""
    missing = [wanted - size for size, wanted in zip(part.shape, shape, strict=True)]
    return functional.pad(part, [count for size in reversed(missing) for count in (0, size)]) if any(missing) else part


def _linear(states: torch.Tensor, parts: list[torch.Tensor], *, has_bias: bool) -> torch.Tensor:
    weight = parts.pop().transpose(1, 2)
    return torch.baddbmm(parts.pop()[:, None], states, weight) if has_bias else torch.bmm(states, weight)


def _stack_moments(norms: Sequence[nn.BatchNorm1d]) -> _Moments:
    states = [norm.state_dict() for norm in norms]
    widest = [max(norm.num_features for norm in norms)]
    mean, var = (
        torch.stack([_filled_up(state[name], widest) for state in states]) for name in ("running_mean", "running_var")
    )
    return _Moments(mean, var, int(states[0]["num_batches_tracked"]))


def _batch_norms(model: nn.Module) -> list[nn.BatchNorm1d]:
    return [module for module in model.modules() if isinstance(module, nn.BatchNorm1d)]
