import numpy as np
import pytest

from pegbox.analysis.edges import best_at_edge

LR = {"lr": {"min": 1e-5, "max": 1e-1, "log": True}}


def falling_towards(make_history, space, values, direction):
    """Values of one parameter, whose loss falls towards one end."""
    losses = [direction * float(np.log10(value)) for value in values]
    (name,) = space
    return make_history(losses, space=space, configurations=[{name: value} for value in values])


def spread(low, high, count=60):
    return [float(value) for value in 10 ** np.linspace(low, high, count)]


def test_best_at_the_upper_end_is_widened_upwards(make_history):
    advice = best_at_edge(falling_towards(make_history, LR, spread(-5, -1, 200), -1))
    assert advice.kind == "edge"
    assert " --set space.lr.max=1 --set budget.trials=" in advice.command
    assert "8 of the best 8 trials have lr at the upper end" in advice.evidence


def test_best_at_the_lower_end_is_widened_downwards(make_history):
    advice = best_at_edge(falling_towards(make_history, LR, spread(-5, -1, 200), 1))
    assert " --set space.lr.min=1e-06" in advice.command


def test_best_inside_the_range_needs_no_advice(make_history):
    values = spread(-5, -1)
    losses = [abs(np.log10(value) + 3) for value in values]
    assert best_at_edge(make_history(losses, space=LR, configurations=[{"lr": value} for value in values])) is None


def test_dropout_is_not_widened_below_zero(make_history):
    values = [float(value) for value in np.linspace(0, 0.6, 200)]
    history = make_history(
        values, space={"dropout": {"min": 0.0, "max": 0.6}}, configurations=[{"dropout": value} for value in values]
    )
    assert best_at_edge(history) is None


def test_momentum_is_not_widened_beyond_one(make_history):
    values = [float(value) for value in np.linspace(0, 0.99, 200)]
    history = make_history(
        [-value for value in values],
        space={"momentum": {"min": 0.0, "max": 0.99}},
        configurations=[{"momentum": value} for value in values],
    )
    assert best_at_edge(history) is None


@pytest.mark.parametrize("count", [0, 1, 5])
def test_few_trials_show_no_edge(make_history, count):
    assert best_at_edge(falling_towards(make_history, LR, spread(-5, -1, count), -1)) is None


def test_whole_numbers_stay_whole_when_widened(make_history):
    values = [int(value) for value in np.linspace(16, 256, 200)]
    space = {"units": {"min": 16, "max": 256, "int": True, "log": True}}
    advice = best_at_edge(falling_towards(make_history, space, values, -1))
    assert " --set space.units.max=1024 " in advice.command
