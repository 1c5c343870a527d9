"""The Gaussian process."""

import numpy as np
import pytest
from scipy.optimize import check_grad

from pegbox.search.model.gaussian_process import Posterior, Prior, fit, matern, negative_log_posterior
from pegbox.search.model.training_data import Data, Repeats

RNG = np.random.default_rng(0)
POINTS = RNG.random((30, 3))
GROUPS = np.array([0, 1, 1])
TARGETS = np.sin(5 * POINTS[:, 0]) + POINTS[:, 1]
DATA = Data(POINTS, GROUPS, (TARGETS - TARGETS.mean()) / TARGETS.std())
PRIOR = Prior(2)


REPEATS = Repeats(np.where(np.arange(len(POINTS)) < 3, 4.0, 1.0), np.where(np.arange(len(POINTS)) < 3, 0.3, 0.0))


@pytest.mark.parametrize("repeats", [None, REPEATS])
def test_the_gradient_of_the_posterior_density_is_right(repeats: Repeats | None) -> None:
    logs, data = np.array([-0.5, 0.3, -0.7, 0.1, -3.0]), DATA._replace(repeats=repeats)
    error = check_grad(
        lambda at: negative_log_posterior(at, data, PRIOR)[0],
        lambda at: negative_log_posterior(at, data, PRIOR)[1],
        logs,
    )
    assert error < 1e-3


def test_fitting_finds_the_parameter_that_matters() -> None:
    targets = np.sin(8 * POINTS[:, 0])
    logs = fit(Data(POINTS, GROUPS, targets / targets.std()), PRIOR)
    assert logs[0] < logs[1] - 0.5


def test_the_posterior_passes_through_noise_free_values() -> None:
    mean, deviation = Posterior(DATA, np.array([-0.5, 0.5, -np.inf, 0.0, -14.0])).predict(POINTS)
    np.testing.assert_allclose(mean, DATA.targets, atol=1e-2)
    assert deviation.max() < 0.05


def test_far_from_the_data_the_posterior_is_the_prior() -> None:
    mean, deviation = Posterior(DATA, np.array([-2.0, -2.0, -np.inf, 0.0, -6.0])).predict(np.full((1, 3), 50.0))
    assert abs(mean[0]) < 1e-6
    assert deviation[0] == pytest.approx(1.0)


def test_believing_keeps_the_mean_and_narrows_the_deviation() -> None:
    posterior = Posterior(DATA, np.array([-0.5, 0.0, -np.inf, 0.0, -4.0]))
    there = np.array([[0.9, 0.9, 0.1]])
    pending = posterior.with_pending(there)
    assert pending.mean(there)[0] == pytest.approx(posterior.mean(there)[0], abs=1e-6)
    assert pending.predict(there)[1][0] < posterior.predict(there)[1][0]


def test_the_covariance_agrees_with_the_deviations() -> None:
    posterior = Posterior(DATA, np.array([-0.5, 0.0, -1.0, 0.0, -4.0]))
    there = RNG.random((5, 3))
    deviation = posterior.predict(there)[1]
    np.testing.assert_allclose(np.diag(posterior.covariance(there, there)), deviation**2, atol=1e-8)
    np.testing.assert_allclose(posterior.paired_covariance(there, there), deviation**2, atol=1e-8)


def test_equal_points_are_no_obstacle() -> None:
    data = Data(np.zeros((8, 3)), GROUPS, np.arange(8.0) - 3.5)
    assert np.isfinite(Posterior(data, fit(data, PRIOR)).predict(POINTS)[0]).all()


def test_the_correlation_falls_from_one() -> None:
    correlation, slope = matern(np.array([0.0, 1.0, 4.0]))
    assert correlation[0] == pytest.approx(1.0)
    assert (np.diff(correlation) < 0).all()
    assert (slope < 0).all()


def test_leaving_one_out_agrees_with_a_posterior_without_it() -> None:
    logs = np.array([-0.5, 0.0, -np.inf, 0.0, -3.0])
    mean, deviation = Posterior(DATA, logs).leave_one_out()
    others = np.arange(len(POINTS)) != 4
    without = Posterior(Data(POINTS[others], GROUPS, DATA.targets[others]), logs)
    expected, spread = without.predict(POINTS[4:5])
    assert mean[4] == pytest.approx(expected[0])
    assert deviation[4] == pytest.approx((spread[0] ** 2 + without.noise) ** 0.5)


def test_a_bowl_is_known_where_nobody_has_looked() -> None:
    features = 0.3 * RNG.random((25, 2))
    bowl = Data(features, np.array([0, 1]), ((features - 0.7) ** 2).sum(axis=1))
    bowl = bowl._replace(targets=(bowl.targets - bowl.targets.mean()) / bowl.targets.std())
    mean = Posterior(bowl, fit(bowl, Prior(2))).mean(np.array([[0.7, 0.7], [0.3, 0.3], [1.0, 1.0]]))
    # The values end at 0.3, and still it is told that the loss goes on to fall, and where it rises again.
    assert mean[0] < mean[1]
    assert mean[0] < mean[2]


def test_noise_is_what_the_trainings_of_one_target_differ_by() -> None:
    noises = []
    for spread in (0.01, 0.3):
        repeats = REPEATS._replace(squares=REPEATS.squares / 0.3 * 3 * spread**2)
        noises.append(np.exp(fit(DATA._replace(repeats=repeats), PRIOR)[-1] / 2))
    assert noises[0] < 0.05
    assert noises[1] > 3 * noises[0]


def test_a_mean_of_many_trainings_is_believed_more() -> None:
    logs = np.array([-0.5, 0.3, -np.inf, 0.0, 0.0])
    once = Posterior(DATA, logs)
    often = Posterior(DATA._replace(repeats=REPEATS), logs)
    off = np.abs(once.mean(POINTS[:3]) - DATA.targets[:3]), np.abs(often.mean(POINTS[:3]) - DATA.targets[:3])
    assert off[1].sum() < off[0].sum()
    assert (often.predict(POINTS[:3])[1] < once.predict(POINTS[:3])[1]).all()
    assert often.with_pending(POINTS[:1]).predict(POINTS[:1])[1] < often.predict(POINTS[:1])[1]


def test_leaving_a_group_out_agrees_with_a_posterior_without_it() -> None:
    logs = np.array([-0.5, 0.0, -np.inf, 0.0, -3.0])
    groups = np.arange(len(POINTS)) // 2
    others = groups != groups[4]
    without = Posterior(Data(POINTS[others], GROUPS, DATA.targets[others]), logs)
    expected, spread = without.predict(POINTS[4:5])
    variance = spread[0] ** 2 + without.noise
    density = -0.5 * (DATA.targets[4] - expected[0]) ** 2 / variance - 0.5 * np.log(variance)
    assert Posterior(DATA, logs).log_densities_without(groups, np.array([4])) == pytest.approx([density])
