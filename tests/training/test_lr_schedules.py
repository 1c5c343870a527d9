"""Learning-rate schedules against torch's own, and their ends."""

import pytest
import torch

from pegbox.training.hyperparameters.optimisation import OptimisationHyperparameters
from pegbox.training.lr_schedules import is_constant, lr_factor


def factors(n_steps=20, **settings):
    hyperparameters = OptimisationHyperparameters(**settings)
    return [lr_factor(hyperparameters, step, n_steps) for step in range(n_steps)]


def torchs(make_scheduler, n_steps=20):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = make_scheduler(optimizer)
    rates = []
    for _ in range(n_steps):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return rates


def test_cosine_is_that_of_torch():
    expected = torchs(lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=20))

    assert factors(lr_schedule="cosine") == pytest.approx(expected)


def test_onecycle_is_that_of_torch():
    n_steps = 1000  # torch turns one step earlier, which is seen in short runs
    expected = torchs(
        lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=n_steps + 1), n_steps
    )

    assert factors(n_steps, lr_schedule="onecycle") == pytest.approx(expected, abs=0.005)


def test_linear_ends_at_nothing():
    assert factors(10, lr_schedule="linear") == pytest.approx([1 - step / 10 for step in range(10)])


def test_step_falls_at_each_third():
    assert factors(9, lr_schedule="step", lr_decay=0.5) == pytest.approx([1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25])


def test_exponential_reaches_its_factor_at_the_end():
    assert factors(10, lr_schedule="exponential", lr_decay=0.01)[5] == pytest.approx(0.1)


def test_warmup_rises_and_then_joins_the_schedule():
    rates = factors(10, lr_schedule="linear", warmup=0.4)

    assert rates[:4] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert rates[4:] == pytest.approx([1 - step / 6 for step in range(6)])


def test_a_constant_rate_without_warmup_needs_no_steps():
    assert is_constant(OptimisationHyperparameters())
    assert not is_constant(OptimisationHyperparameters(warmup=0.1))
    assert set(factors(5)) == {1.0}
