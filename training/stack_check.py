"""Does a stack of a user's modules compute what each computes alone? Found by a step of both, with its gradients."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from pegbox.schemas.arrays import Splits
from pegbox.schemas.errors import TrialError
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.trial import Segment
from pegbox.training.failures import failed
from pegbox.training.loop import Learner
from pegbox.training.random_streams import random_state
from pegbox.training.stacked_loop import Stack
from pegbox.training.stacked_modules import StackedModules
from pegbox.training.torch_learners import table_learner
from pegbox.training.torch_trainer import take_up
from pegbox.training.user_module import SAME, UserModule


class Step(NamedTuple):
    """What a first step of one model computes: its loss, gradients, buffers, and scores in eval mode."""

    loss: torch.Tensor
    gradients: list[torch.Tensor]
    buffers: list[torch.Tensor]
    scores: torch.Tensor


def why_not_stacked(segments: Sequence[Segment], data: Splits) -> str | None:
    """Why segments of one `batch_key` train one by one, in a sentence; None where they can train as a stack.

    Raises:
        TrialError: One of the segments cannot begin.
    """
    learners = [table_learner(segment, data) for segment in segments]
    for segment, learner in zip(segments, learners, strict=True):
        take_up(segment, learner)
    try:
        _require_same_as_alone(learners)
    except TrialError as error:
        return error.failure.message
    except Exception as error:  # noqa: BLE001 - what vmap, or code of the user's that it runs, has to say
        return f"vmap cannot stack them: {str(error).strip().partition('. ')[0].rstrip('.')}."
    return None


def _require_same_as_alone(learners: Sequence[Learner]) -> None:
    stack = Stack(learners, [torch.get_rng_state()] * len(learners))
    network = stack.network
    if not isinstance(network, StackedModules):
        return
    _, inputs, target = next(iter(stack.batches()))
    together = _steps_together(stack, network, inputs, target)
    before = _streams(learners[0].device)
    for place, learner in enumerate(learners):
        alone = _step_alone(network, learner, [one[place] for one in inputs], target[place])
        if _streams(learner.device) != before:
            message = f"{network.first.path} draws random numbers while it trains, and a stack would draw others."
            raise failed(FailureKind.INVALID, message)
        for name in Step._fields:
            if not _are_same(getattr(together[place], name), getattr(alone, name)):
                message = f"{network.first.path} has other {name} in a stack than alone."
                raise failed(FailureKind.INVALID, message)


def _steps_together(
    stack: Stack, network: StackedModules, inputs: list[torch.Tensor], target: torch.Tensor
) -> list[Step]:
    losses = stack.losses_of(network.forward(inputs, training=True), target)
    (gradient,) = torch.autograd.grad(losses.sum(), network.weights)
    with torch.no_grad():
        scores = network.forward(inputs, training=False)
    return [
        Step(loss, network.split(gradient, place), [one[place] for one in network.kept.values()], scores[place])
        for place, loss in enumerate(losses)
    ]


def _step_alone(network: StackedModules, learner: Learner, inputs: list[torch.Tensor], target: torch.Tensor) -> Step:
    model: Any = learner.model
    assert isinstance(model, UserModule)
    model.train()
    loss = learner.loss(model(*inputs), target)
    gradients = torch.autograd.grad(loss, network.parameters_of(model), allow_unused=True)
    used = [one for one in gradients if one is not None]
    if len(used) < len(gradients):
        message = (
            f"{model.path} has weights that its loss does not depend on; alone, the optimizer leaves them as they are."
        )
        raise failed(FailureKind.INVALID, message)
    model.eval()
    with torch.no_grad():
        scores = model(*inputs)
    return Step(loss, used, [*network.kept_of(model).values()], scores)


def _streams(device: torch.device) -> list[Any]:
    """Where the global streams of random numbers stand, to be compared."""
    state = random_state(device)
    parts = [state["process"], state["cuda"], state["python"], *state["numpy"]]
    return [part.tolist() if isinstance(part, torch.Tensor) else part for part in parts]


def _are_same(left: Any, right: Any) -> bool:
    if isinstance(left, torch.Tensor):
        return torch.allclose(left.double(), right.double(), equal_nan=True, **SAME)
    return all(_are_same(*pair) for pair in zip(left, right, strict=True))
