from functools import cache

import numpy as np
import pytest

from pegbox.analysis.effects import effects

SPACE = {
    "lr": {"min": 1e-5, "max": 1e-1, "log": True},
    "optimizer": ["adamw", "sgd"],
    "momentum": {"min": 0.0, "max": 1.0, "when": {"optimizer": "sgd"}},
    "layers": {"min": 1, "max": 5, "int": True},
    "decay": {"min": 1e-6, "max": 1e-2, "log": True, "extra": [0.0]},
}
NOISE = 0.05


def measured(n_trials=120, seed=0):
    """A valley at lr = 1e-3, momentum harmful, layers and decay without effect."""
    rng = np.random.default_rng(seed)
    configurations, losses = [], []
    for _ in range(n_trials):
        one = {
            "lr": float(10 ** rng.uniform(-5, -1)),
            "optimizer": ["adamw", "sgd"][rng.integers(2)],
            "layers": int(rng.integers(1, 6)),
            "decay": 0.0 if rng.random() < 0.1 else float(10 ** rng.uniform(-6, -2)),
        }
        if one["optimizer"] == "sgd":
            one["momentum"] = float(rng.uniform(0, 1))
        configurations.append(one)
        losses.append(0.2 * (np.log10(one["lr"]) + 3) ** 2 + one.get("momentum", 0) + NOISE * rng.standard_normal())
    return configurations, losses


@pytest.fixture
def by_name(make_history):
    configurations, losses = measured()

    @cache
    def find(goal="minimize"):
        values = losses if goal == "minimize" else [-loss for loss in losses]
        history = make_history(values, goal=goal, space=SPACE, configurations=configurations)
        return {effect.name: effect for effect in effects(history).parameters}

    return find


def test_average_effect_has_its_valley_where_it_is(by_name):
    lowest = min(by_name()["lr"].average, key=lambda point: point.mean)
    assert 3e-4 < lowest.value < 3e-3


def test_average_effect_is_in_units_of_the_metric(by_name):
    points = by_name()["lr"].average
    assert points[0].mean - min(point.mean for point in points) == pytest.approx(0.8, abs=0.3)


def test_effect_of_a_metric_made_large_points_up(by_name):
    highest = max(by_name("maximize")["lr"].average, key=lambda point: point.mean)
    assert 3e-4 < highest.value < 3e-3
    assert all(point.low <= point.mean <= point.high for point in by_name("maximize")["lr"].average)


def test_inert_parameter_is_flat_within_its_interval(by_name):
    points = by_name()["layers"].average
    assert [point.value for point in points] == [1, 2, 3, 4, 5]
    assert max(point.low for point in points) < min(point.high for point in points)


def test_tolerance_of_the_valley_is_one_noise_wide(by_name):
    tolerance = by_name()["lr"].near_best.tolerance
    # 0.2 x^2 = 0.05 at x = 0.5 decades
    assert -1.3 < np.log10(tolerance.low) + 3 < 0
    assert 0 < np.log10(tolerance.high) + 3 < 1.3
    assert not tolerance.reaches_low_end
    assert not tolerance.reaches_high_end


def test_inert_parameter_may_be_moved_everywhere(by_name):
    tolerance = by_name()["layers"].near_best.tolerance
    assert (tolerance.low, tolerance.high) == (1, 5)
    assert tolerance.reaches_low_end
    assert tolerance.reaches_high_end


def test_extra_value_is_a_point_of_its_own(by_name):
    points = by_name()["decay"].average
    assert points[0].value == 0.0
    assert points[0].n_trials > 5
    assert sum(point.n_trials for point in points) == 120


def test_stretch_without_trials_says_so(make_history):
    rng = np.random.default_rng(0)
    places = [float(x) for x in rng.uniform(0, 0.5, 40)]
    history = make_history(places, configurations=[{"x": x} for x in places])
    points = effects(history).parameters[0].average
    assert [point.n_trials == 0 for point in points] == [point.value > 0.5 for point in points]


def test_interaction_of_a_parent_and_its_child_is_tabled(make_history):
    configurations, losses = measured()
    history = make_history(losses, space=SPACE, configurations=configurations)
    (table,) = effects(history, pairs=(("optimizer", "momentum"),)).interactions
    assert table.rows == ("adamw", "sgd")
    assert table.means[1][-1] - table.means[1][0] > 0.5
    assert abs(table.means[0][-1] - table.means[0][0]) < 0.25
    assert sum(table.counts[0]) == 0


def test_noise_of_the_fresh_seeds_is_preferred_to_the_surrogates(make_history):
    configurations, losses = measured()
    replicates = {0: [0.0, 0.2, 0.4], 1: [0.1, 0.3, 0.5]}
    history = make_history(losses, replicates, space=SPACE, configurations=configurations)
    assert effects(history).noise == pytest.approx(0.2)


def test_too_few_trials_get_an_honest_sentence(make_history):
    result = effects(make_history([0.1, 0.2]))
    assert (result.sentence, result.parameters) == ("2 trials: too few to rank 1 hyperparameter.", ())


def test_training_time_has_effects_too(make_history):
    places = [float(x) for x in np.random.default_rng(0).random(60)]
    history = make_history([0.5] * 60, configurations=[{"x": x} for x in places], seconds=[1 + 9 * x for x in places])
    result = effects(history, about="seconds")
    points = result.parameters[0].average
    assert result.about == "seconds"
    assert points[-1].mean - points[0].mean == pytest.approx(8.4, abs=1)
