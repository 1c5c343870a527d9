import numpy as np
import pytest
from scipy.optimize import check_grad

from pegbox.analysis.surrogate import _features, _Process, fit_surrogate
from pegbox.analysis.unit_columns import Table, tabulate
from pegbox.schemas.space import Space
from pegbox.schemas.trial import Trial

SPACE = Space.model_validate(
    {
        "x": {"min": 0.0, "max": 1.0},
        "kind": ["a", "b", "c"],
        "depth": {"min": 1, "max": 8, "int": True, "when": {"kind": "a"}},
    }
)


def sampled(n_trials, seed=0):
    rng = np.random.default_rng(seed)
    trials = []
    for number in range(n_trials):
        configuration = {"x": float(rng.random()), "kind": "abc"[rng.integers(3)]}
        if configuration["kind"] == "a":
            configuration["depth"] = int(rng.integers(1, 9))
        trials.append(Trial(number=number, seed=0, configuration=configuration))
    return tabulate(SPACE, tuple(trials)), np.array(
        [t.configuration["x"] + (t.configuration["kind"] == "b") for t in trials]
    )


def test_posterior_mean_is_nearer_the_truth_than_the_values():
    table, truth = sampled(80)
    values = truth + 0.3 * np.random.default_rng(1).standard_normal(80)
    surrogate = fit_surrogate(table, values)
    mean, _ = surrogate.predict(table.units)
    assert np.abs(mean - truth).mean() < 0.5 * np.abs(values - truth).mean()
    assert surrogate.noise == pytest.approx(0.3, rel=0.3)


def test_gradient_of_the_fit_agrees_with_differences():
    table, truth = sampled(25)
    points, groups = _features(table)
    process = _Process(points, groups, (truth - truth.mean()) / truth.std())
    theta = np.array([-0.5, 0.3, 1.0, 0.2, -2.0])
    error = check_grad(lambda t: process._objective(t)[0], lambda t: process._objective(t)[1], theta)
    assert error < 1e-3


def test_disaster_does_not_hide_the_differences_among_the_good():
    table, truth = sampled(60)
    values = truth.copy()
    values[truth.argmax()] = 1e6
    mean, _ = fit_surrogate(table, values).predict(table.units)
    assert truth[mean.argmin()] - truth.min() < 0.1


def test_equal_values_are_returned_as_they_are():
    table, _ = sampled(10)
    surrogate = fit_surrogate(table, np.full(10, 0.5))
    assert surrogate.predict(table.units)[0].tolist() == [0.5] * 10
    assert surrogate.noise == 0.0


def test_many_trials_are_thinned_and_all_are_read():
    table, truth = sampled(900)
    mean, std = fit_surrogate(table, truth).predict(table.units)
    assert mean.shape == std.shape == (900,)
    assert np.abs(mean - truth).mean() < 0.05


def test_uncertainty_grows_away_from_the_trials():
    table, truth = sampled(40)
    crowded = table.units[:, 0] < 0.5
    surrogate = fit_surrogate(Table(table.columns, table.units[crowded]), truth[crowded])
    far, near = np.array([[0.99, 0.5, np.nan]]), np.array([[0.25, 0.5, np.nan]])
    assert surrogate.predict(far)[1] > surrogate.predict(near)[1]


def test_few_smooth_losses_are_not_taken_for_noise():
    axis = {"min": -1.0, "max": 1.0}
    space = Space.model_validate({"x": axis, "y": axis})
    points = [
        *[(-0.18, 0.928), (0.444, -0.785), (0.81, 0.057), (-0.566, -0.171), (1.0, -1.0), (1.0, -0.661), (-0.357, -1.0)],
        *[(0.106, -0.772), (0.388, -0.488), (0.306, -0.599), (0.175, -0.438), (0.319, -0.56), (1.0, 1.0)],
        (0.287, -0.509),
    ]
    trials = tuple(Trial(number=i, seed=0, configuration={"x": x, "y": y}) for i, (x, y) in enumerate(points))
    losses = np.array([(x - 0.3) ** 2 + (y + 0.5) ** 2 for x, y in points])
    table = tabulate(space, trials)

    surrogate = fit_surrogate(table, losses)

    mean, _ = surrogate.predict(table.units)
    assert set(mean.argsort()[:3]) == set(losses.argsort()[:3])
    assert surrogate.noise < 0.05
