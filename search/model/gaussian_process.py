"""A Gaussian process with a Matérn kernel: hyperparameters by MAP, then posterior means, deviations and covariances.

Why it is our own: docs/decisions/0010-an-own-gaussian-process.md. scipy is loaded where it is used: it takes .4 s of
CPU, and the first asks of a study, which no model answers, need none of it.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pegbox.search.model.main_effects import main_effects
from pegbox.search.model.training_data import Data
from pegbox.search.space.axes import Array

SQRT5 = 5**0.5
JITTER = 1e-6
"""Added to the noise variance, in units of the targets' variance; keeps equal points apart."""
# Logarithms. Picked by hand, wide enough that the prior decides and not a bound: lengths from a hundredth of a range to
# one that rules a parameter out, and a noise variance from below the jitter to more than all of the spread.
LENGTH_BOUNDS = (-4.6, 6.0)
EFFECTS_BOUNDS = (-8.0, 4.0)
NO_EFFECTS = -30.0
SIGNAL_BOUNDS = (-4.0, 4.0)
NOISE_BOUNDS = (-14.0, 1.0)
N_VARIANCES = 3
"""Of main effects, signal and noise: the hyperparameters after the length scales, in this order."""


class Prior(NamedTuple):
    """How likely hyperparameters are before there are data.

    A length scale l is all but free over a decade around its middle m, and held by walls beyond: its density falls as
    exp(-w (l²/m² + m²/l²)). The middle grows with the square root of the number of dimensions, so that points of a
    large space are still alike. The variances of main effects, signal and noise, as shares of the standardised losses',
    have gamma densities.

    Source: the densities are those of Optuna's Gaussian process, with its middle at 7 dimensions; Hvarfner et al. 2024,
    section 4, for the growth. Their log-normal density, with its middle at longer scales, found less where the best
    lies inside of the space, and with 8 workers.
    """

    # Weight of the walls, shapes and rates are Optuna's; regrets with and without the walls stand in decision 4.
    n_lengths: int
    has_effects: bool = True
    """False where what is learnt lies in regions and not on slopes, such as failures."""
    share: float = 7**-0.5
    """The middle in units of the square root of the number of dimensions."""
    wall: float = 0.1
    effects: tuple[float, float] = (1.1, 1.0)
    """Shape and rate: none at all is as likely as much, so that they are as large as the data asks for."""
    signal: tuple[float, float] = (2.0, 1.0)
    """Shape and rate."""
    noise: tuple[float, float] = (1.1, 30.0)
    """Shape and rate."""

    @property
    def middle(self) -> float:
        """Logarithm of the middle of a length scale."""
        return math.log(self.share) + 0.5 * math.log(max(self.n_lengths, 1))

    def penalty(self, logs: Array) -> tuple[float, Array]:
        """How unlikely logarithms of shape (n_lengths + N_VARIANCES,) are, up to a constant, and the gradient."""
        squared = np.exp(2 * (logs[: self.n_lengths] - self.middle))
        shapes, rates = np.transpose([self.effects, self.signal, self.noise])
        variances = np.exp(logs[self.n_lengths :])
        value = self.wall * (squared + 1 / squared).sum() + rates @ variances - (shapes - 1) @ logs[self.n_lengths :]
        gradient = np.append(2 * self.wall * (squared - 1 / squared), rates * variances - (shapes - 1))
        return float(value), gradient

    def start(self) -> Array:
        """Where a fit begins: all length scales in the middle, some main effects, little noise.

        One start: several made no difference beyond the noise on LCBench (decision 4).
        """
        return np.array([self.middle] * self.n_lengths + [-1.0, 0.0, -6.0])


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
    from scipy.linalg import cho_solve, lapack

    n_lengths, n = prior.n_lengths, len(data.targets)
    lengths, (level, signal, noise) = np.exp(logs[:n_lengths]), np.exp(logs[n_lengths:])
    scaled = data.features / lengths[data.groups]
    correlation, slope = matern(squared_distances(scaled, scaled))
    effects = main_effects(data.features, data.groups)
    covariance = signal * correlation + level * (effects @ effects.T)
    covariance.flat[:: n + 1] += (noise + JITTER) * data.shares
    # LAPACK itself, because scipy's wrapper raises where this tells by a number, in the innermost loop of a fit.
    factor, info = lapack.dpotrf(covariance, lower=1)
    if info:
        # Not positive definite: so bad a value that the line search of L-BFGS steps back.
        return 1e10, np.zeros_like(logs)
    weights = cho_solve((factor, True), data.targets, check_finite=False)
    # dpotri fills the lower triangle only; what stands in the upper one is no part of the inverse.
    inverse = np.tril(lapack.dpotri(factor, lower=1)[0])
    inverse += np.tril(inverse, -1).T
    outer = 0.5 * (inverse - np.outer(weights, weights))
    penalty, gradient = prior.penalty(logs)
    value = 0.5 * data.targets @ weights + np.log(np.diag(factor)).sum() + penalty
    stretch = outer * slope * signal
    # sum_ij S_ij (x_i - x_j)^2 = 2 (x^2 S 1 - x S x), S symmetric: no array of shape (n, n, n_features) is made.
    by_feature = -4 * ((scaled * scaled) * stretch.sum(axis=1)[:, None] - scaled * (stretch @ scaled)).sum(axis=0)
    gradient[:n_lengths] += np.bincount(data.groups, by_feature, n_lengths)
    gradient[-3] += ((outer @ effects) * effects).sum() * level
    gradient[-2] += (outer * correlation).sum() * signal
    gradient[-1] += np.diag(outer) @ data.shares * noise
    if data.repeats is not None:
        height, slope_by_noise = data.repeats.penalty(noise + JITTER)
        value += height
        gradient[-1] += slope_by_noise * noise
    return float(value), gradient


def fit(data: Data, prior: Prior, start: Array | None = None, iterations: int = 40) -> Array:
    """Logarithms of the most probable hyperparameters, shape (n_lengths + N_VARIANCES,)."""
    from scipy.optimize import minimize

    effects = EFFECTS_BOUNDS if prior.has_effects else (NO_EFFECTS, NO_EFFECTS)
    bounds = [LENGTH_BOUNDS] * prior.n_lengths + [effects, SIGNAL_BOUNDS, NOISE_BOUNDS]
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
        from scipy.linalg import cho_solve, solve_triangular

        self.data, self.logs = data, logs
        self.lengths = np.exp(logs[:-N_VARIANCES])
        self._inverse_lengths = 1 / self.lengths[data.groups]
        self._level, self._signal, noise = (float(variance) for variance in np.exp(logs[-N_VARIANCES:]))
        self._scaled, self._effects = data.features * self._inverse_lengths, self._effects_at(data.features)
        factor, self.noise = _cholesky(self._cross(data.features), noise + JITTER, data.shares)
        self._weights = cho_solve((factor, True), data.targets, check_finite=False)
        # Inverted once, so that thousands of candidates an ask cost a matrix product and not a solve.
        self._inverse_factor = solve_triangular(factor, np.eye(len(factor)), lower=True, check_finite=False)

    def mean(self, features: Array) -> Array:
        """Posterior mean of the noise-free value, shape (n,)."""
        return np.asarray(self._cross(features) @ self._weights)

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Posterior mean and standard deviation of the noise-free value, each of shape (n,)."""
        cross = self._cross(features)
        whitened = cross @ self._inverse_factor.T
        effects = self._effects_at(features)
        prior = self._signal + np.einsum("ij,ij->i", effects, effects)
        variance = prior - np.einsum("ij,ij->i", whitened, whitened)
        # At a seen point without noise the difference may round to below zero; log EI divides by its root.
        return cross @ self._weights, np.sqrt(np.maximum(variance, 1e-12))

    def leave_one_out(self) -> tuple[Array, Array]:
        """What each target would have been predicted to be without it, and the deviation, noise included; shape (n,).

        Source: Rasmussen & Williams 2006, equations 5.10 to 5.12.
        """
        precision = np.einsum("ij,ij->j", self._inverse_factor, self._inverse_factor)
        return self.data.targets - self._weights / precision, precision**-0.5

    def log_densities_without(self, groups: npt.NDArray[np.int64], asked: npt.NDArray[np.int64]) -> Array:
        """Log density of some targets, each predicted from the rows of all other groups; up to a constant.

        Args:
            groups: Which rows are left out together, such as those of one trial, shape (n,).
            asked: Row numbers of the targets, shape (n_asked,).

        Source: Rasmussen & Williams 2006, section 5.4.2, for blocks in place of single rows.
        """
        precision = self._inverse_factor.T @ self._inverse_factor
        densities = []
        for row in asked:
            members = np.flatnonzero(groups == groups[row])
            covariance = np.linalg.inv(precision[np.ix_(members, members)])
            own = int(np.searchsorted(members, row))
            # The target less its prediction: what the rows left out add to the mean.
            off = float(covariance[own] @ self._weights[members])
            densities.append(-0.5 * off * off / covariance[own, own] - 0.5 * np.log(covariance[own, own]))
        return np.array(densities)

    def covariance(self, left: Array, right: Array) -> Array:
        """Posterior covariance of the noise-free values at two sets of points, shape (n_left, n_right)."""
        distances = squared_distances(left * self._inverse_lengths, right * self._inverse_lengths)
        prior = self._signal * matern(distances)[0] + self._effects_at(left) @ self._effects_at(right).T
        explained = (self._cross(left) @ self._inverse_factor.T) @ (self._cross(right) @ self._inverse_factor.T).T
        return np.asarray(prior - explained)

    def paired_covariance(self, left: Array, right: Array) -> Array:
        """Posterior covariance of each point of one set with its partner in the other, shape (n,)."""
        apart = ((left - right) * self._inverse_lengths) ** 2
        effects = np.einsum("ij,ij->i", self._effects_at(left), self._effects_at(right))
        prior = self._signal * matern(apart.sum(axis=1))[0] + effects
        whitened = self._cross(left) @ self._inverse_factor.T, self._cross(right) @ self._inverse_factor.T
        return np.asarray(prior - np.einsum("ij,ij->i", *whitened))

    def with_pending(self, features: Array) -> "Posterior":
        """The posterior once values equal to its means have come at some points: a kriging believer.

        All means stay as they are and only deviations shrink, so that parallel proposals keep away from each other.
        Source: Ginsbourger et al. 2010, section 4.2.
        """
        return Posterior(self.data.with_rows(features, self.mean(features)), self.logs)

    def _cross(self, features: Array) -> Array:
        distances = squared_distances(features * self._inverse_lengths, self._scaled)
        return np.asarray(self._signal * matern(distances)[0] + self._effects_at(features) @ self._effects.T)

    def _effects_at(self, features: Array) -> Array:
        """Main effects, each with the deviation of its weight, shape (n, n_effects)."""
        return np.asarray(self._level**0.5 * main_effects(features, self.data.groups))


def _cholesky(covariance: Array, noise: float, shares: Array) -> tuple[Array, float]:
    """Lower factor with as little noise added, to each row its share, as makes the matrix positive definite."""
    from scipy.linalg import lapack

    while True:
        noisy = covariance.copy()
        noisy.flat[:: len(noisy) + 1] += noise * shares
        factor, info = lapack.dpotrf(noisy, lower=1)
        if not info:
            return np.tril(factor), noise
        noise *= 10  # rows that coincide; ten times as much is found in a few tries, and soon enough
