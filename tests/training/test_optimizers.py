"""Each optimizer takes the step that its settings say."""

import pytest
import torch

from pegbox.training.hyperparameters.optimisation import OptimisationHyperparameters
from pegbox.training.optimizers import build_optimizer


def steps(count: int, **settings: object) -> float:
    """Where a weight of 1 is after so many steps along a gradient of 1."""
    weight = torch.nn.Parameter(torch.ones(1))
    built = build_optimizer([weight], OptimisationHyperparameters.model_validate({"lr": 0.1, **settings}))
    for _ in range(count):
        weight.grad = torch.ones(1)
        built.step()
    return float(weight.detach())


@pytest.mark.parametrize(
    ("settings", "moved"),
    [
        ({}, 0.2),
        ({"momentum": 0.5}, 0.1 + 0.15),  # velocities 1 and 1.5
        ({"momentum": 0.5, "nesterov": True}, 0.15 + 0.175),  # one step ahead: 1 + 0.5 * 1 and 1 + 0.5 * 1.5
        ({"nesterov": True}, 0.2),
    ],
)
def test_sgd_moves_by_its_velocity(settings, moved):
    assert steps(2, optimizer="sgd", **{"momentum": 0.0, **settings}) == pytest.approx(1 - moved)
