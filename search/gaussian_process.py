"""A Gaussian process on numbered features: hyperparameters by MAP, then posterior means, deviations and covariances."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_solve, lapack, solve_triangular
from scipy.optimize import minimize

from pegbox.search.axes import Array

SQRT5 = 5**0.5
JITTER = 1e-6
"""Added to the noise variance, in units of the targets' variance; keeps equal points apart."""
LENGTH_BOUNDS = (-4.6, 6.0)
SIGNAL_BOUNDS = (-4.0, 4.0)
NOISE_BOUNDS = (-14.0, 1.0)


class Prior(NamedTuple):
    """Normal priors of the logarithms of the hyperparameters, as (mean, deviation).

    The length scales' mean grows with the square root of the number of dimensions, so that points of a large space are
    still alike.

    Source: Hvarfner et al. 2024, equation 9.
    """

    n_lengths: int
    length_offset: float = 2**0.5
    length_deviation: float = 3**0.5
    signal: tuple[float, float] = (0.0, 1.0)
    noise: tuple[float, float] = (-6.0, 2.0)

    @property
    def length_mean(self) -> float:
        """Mean of the logarithm of a length scale."""
        return self.length_offset + 0.5 * math.log(max(self.n_lengths, 1))

    def means(self) -> Array:
        """Prior means of all logarithms: lengths, signal, noise."""
        return np.array([self.length_mean] * self.n_lengths + [self.signal[0], self.noise[0]])

    def deviations(self) -> Array:
        """Prior deviations of all logarithms: lengths, signal, noise."""
        return np.array([self.length_deviation] * self.n_lengths + [self.signal[1], self.noise[1]])

    def start(self) -> Array:
        """Where a fit begins: length scales shorter than expected, because long ones explain anything badly."""
        return np.asarray(self.means() - np.array([2.0] * self.n_lengths + [0.0, 0.0]))


class Data(NamedTuple):
    """What a process is fitted to.

    Attributes:
        features: Shape (n, n_features).
        groups: Which length scale each feature uses, shape (n_features,); features of one parameter share one.
        targets: Standardised, to be made small, shape (n,).
    """

    features: Array
    groups: npt.NDArray[np.int64]
    targets: Array


def matern(squared: Array) -> tuple[Array, Array]:
    """Matérn-5/2 correlation and its derivative by the squared distance.

    k = (1 + a r + a² r² / 3) exp(-a r),  dk/dr² = -(5/6) (1 + a r) exp(-a r),  a = √5

    Source: Rasmussen & Williams 2006, equation 4.17.
    """
    scaled = SQRT5 * np.sqrt(np.maximum(squared, 1e-20))
    decay = np.exp(-scaled)
    slope = np.asarray((1 + scaled) * decay)
    return slope + scaled * scaled / 3 * decay, -5 / 6 * slope


def squared_distances(left: Array, right: Array) -> Array:
    """Squared Euclidean distances of rows, shape (n_left, n_right)."""
    left_norms, right_norms = (left * left).sum(axis=1), (right * right).sum(axis=1)
    return np.asarray(np.maximum(left_norms[:, None] + right_norms - 2 * left @ right.T, 0.0))


def negative_log_posterior(logs: Array, data: Data, prior: Prior) -> tuple[float, Array]:
    """How badly hyperparameters explain the data, and the gradient by their logarithms.

    Source: Rasmussen & Williams 2006, equations 2.30 and 5.9.
    """
    n_lengths, n = prior.n_lengths, len(data.targets)
    lengths, signal, noise = np.exp(logs[:n_lengths]), np.exp(logs[-2]), np.exp(logs[-1])
    scaled = data.features / lengths[data.groups]
    correlation, slope = matern(squared_distances(scaled, scaled))
    covariance = signal * correlation
    covariance.flat[:: n + 1] += noise + JITTER
    factor, info = lapack.dpotrf(covariance, lower=1)
    if info:
        return 1e10, np.zeros_like(logs)
    weights = cho_solve((factor, True), data.targets, check_finite=False)
    inverse = np.tril(lapack.dpotri(factor, lower=1)[0])
    inverse += np.tril(inverse, -1).T
    outer = 0.5 * (inverse - np.outer(weights, weights))
    pull = (logs - prior.means()) / prior.deviations()
    value = 0.5 * data.targets @ weights + np.log(np.diag(factor)).sum() + 0.5 * pull @ pull
    gradient = pull / prior.deviations()
    stretch = outer * slope * signal
    by_feature = -4 * ((scaled * scaled) * stretch.sum(axis=1)[:, None] - scaled * (stretch @ scaled)).sum(axis=0)
    gradient[:n_lengths] += np.bincount(data.groups, by_feature, n_lengths)
    gradient[-2] += (outer * correlation).sum() * signal
    gradient[-1] += np.trace(outer) * noise
    return float(value), gradient


def fit(data: Data, prior: Prior, start: Array | None = None, iterations: int = 40) -> Array:
    """Logarithms of the most probable hyperparameters: length scales, signal variance, noise variance."""
    bounds = [LENGTH_BOUNDS] * prior.n_lengths + [SIGNAL_BOUNDS, NOISE_BOUNDS]
    begin = np.clip(prior.start() if start is None else start, *np.transpose(bounds))
    found = minimize(
        negative_log_posterior,
        begin,
        args=(data, prior),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": iterations},
    )
    return np.asarray(found.x)


class Posterior:
    """What a process with known hyperparameters believes after seeing data; all in standardised units."""

    def __init__(self, data: Data, logs: Array) -> None:
        self.data, self.logs = data, logs
        self._inverse_lengths = np.exp(-logs[:-2])[data.groups]
        self._signal = float(np.exp(logs[-2]))
        self._scaled = data.features * self._inverse_lengths
        covariance = self._signal * matern(squared_distances(self._scaled, self._scaled))[0]
        self.noise = float(np.exp(logs[-1])) + JITTER
        factor, self.noise = _cholesky(covariance, self.noise)
        self._weights = cho_solve((factor, True), data.targets, check_finite=False)
        self._inverse_factor = solve_triangular(factor, np.eye(len(factor)), lower=True, check_finite=False)

    def mean(self, features: Array) -> Array:
        """Posterior mean of the noise-free value, shape (n,)."""
        return np.asarray(self._cross(features) @ self._weights)

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Posterior mean and standard deviation of the noise-free value, each of shape (n,)."""
        cross = self._cross(features)
        whitened = cross @ self._inverse_factor.T
        variance = self._signal - np.einsum("ij,ij->i", whitened, whitened)
        return cross @ self._weights, np.sqrt(np.maximum(variance, 1e-12))

    def covariance(self, left: Array, right: Array) -> Array:
        """Posterior covariance of the noise-free values at two sets of points, shape (n_left, n_right)."""
        distances = squared_distances(left * self._inverse_lengths, right * self._inverse_lengths)
        explained = (self._cross(left) @ self._inverse_factor.T) @ (self._cross(right) @ self._inverse_factor.T).T
        return np.asarray(self._signal * matern(distances)[0] - explained)

    def paired_covariance(self, left: Array, right: Array) -> Array:
        """Posterior covariance of each point of one set with its partner in the other, shape (n,)."""
        apart = ((left - right) * self._inverse_lengths) ** 2
        prior = self._signal * matern(apart.sum(axis=1))[0]
        whitened = self._cross(left) @ self._inverse_factor.T, self._cross(right) @ self._inverse_factor.T
        return np.asarray(prior - np.einsum("ij,ij->i", *whitened))

    def believing(self, features: Array) -> "Posterior":
        """The posterior once values equal to its means have come at some points: a kriging believer.

        Source: Ginsbourger et al. 2010, section 4.2.
        """
        seen = Data(
            np.vstack([self.data.features, features]),
            self.data.groups,
            np.concatenate([self.data.targets, self.mean(features)]),
        )
        return Posterior(seen, self.logs)

    def _cross(self, features: Array) -> Array:
        distances = squared_distances(features * self._inverse_lengths, self._scaled)
        return self._signal * matern(distances)[0]


def _cholesky(covariance: Array, noise: float) -> tuple[Array, float]:
    """Lower factor with as little noise added as makes the matrix positive definite."""
    while True:
        noisy = covariance.copy()
        noisy.flat[:: len(noisy) + 1] += noise
        factor, info = lapack.dpotrf(noisy, lower=1)
        if not info:
            return np.tril(factor), noise
        noise *= 10
