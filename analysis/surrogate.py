"""A small Gaussian process that tells luck from quality among observed trials; it proposes nothing.

Matérn-5/2 with one length scale a parameter and one noise level, fitted by the maximum of the posterior.

Source: Rasmussen & Williams 2006, ch. 2 and 5.4; length-scale prior of Hvarfner, Hellsten & Nardi 2024.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pegbox.analysis.single_thread import single_threaded_algebra
from pegbox.analysis.unit_columns import Array, Column, Table

MAX_TRIALS = 300
"""More than this are thinned: the best half of that many, and an even draw of the others. Picked by hand: a fit inverts
a matrix of this size some hundred times, and the answer waits for it."""
_SQRT5 = math.sqrt(5.0)
_JITTER = 1e-8
_LEAST_NOISE = -12.0
"""Logarithm of a noise variance that is none: a 400th of the spread of all losses."""
EVIDENCE = 3.0
"""By how much noise must raise the log likelihood to be believed: strong evidence by Kass & Raftery 1995."""


class _Process:
    """A fitted Gaussian process; losses are standardised."""

    def __init__(self, points: Array, groups: Array, losses: Array) -> None:
        self._points, self._losses = points, losses
        self._n_scales = int(groups.max()) + 1
        self._groups = groups
        # Shape (n_parameters, n, n): squared distance in each parameter alone.
        square = (points[:, None, :] - points[None, :, :]) ** 2
        self._distances = np.stack([square[:, :, groups == group].sum(axis=2) for group in range(self._n_scales)])
        # Mean and (below) deviation of the log-normal prior, sqrt(2) + log(D) / 2 and sqrt(3): Hvarfner et al. 2024.
        self._location = math.sqrt(2) + math.log(self._n_scales) / 2
        self._theta = self._fit(most_noise=1.0)
        self._settle(self._theta)

    def _fit(self, most_noise: float) -> Array:
        """The most probable hyperparameters.

        Args:
            most_noise: The largest logarithm of the noise variance.
        """
        from scipy.optimize import minimize

        bounds = [(-4.0, 6.0)] * self._n_scales + [(-3.0, 3.0), (_LEAST_NOISE, most_noise)]
        found = [
            minimize(self._objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 60})
            for start in self._starts()
        ]
        return np.asarray(min(found, key=lambda one: float(one.fun)).x)

    @cached_property
    def shows_noise(self) -> bool:
        """True if the losses are better explained with noise than without, by the ratio of the two likelihoods."""
        return self._misfit(self._fit(most_noise=_LEAST_NOISE)) - self._misfit(self._theta) > EVIDENCE

    def _misfit(self, theta: Array) -> float:
        """Negative log posterior without the prior of the noise, which has an opinion on what is to be found out."""
        return self._objective(theta)[0] - _noise_prior(theta)

    def _starts(self) -> tuple[Array, ...]:
        """Where fits begin: one that takes the losses for noisy, one that takes them for smooth.

        Either alone may end where all is noise, or none, though the other explains the losses better.
        """
        return tuple(
            np.concatenate([np.full(self._n_scales, self._location - shorter), [0.0, math.log(noise)]])
            # From the noisy start alone 14 smooth losses were taken for noise, and a bad trial became a finalist.
            for shorter, noise in ((1.0, 0.1), (2.0, 1e-3))
        )

    def _objective(self, theta: Array) -> tuple[float, Array]:
        """Negative log posterior and its gradient in log length scales, log signal and log noise variance."""
        scales, signal, noise = np.exp(theta[:-2]), math.exp(theta[-2]), math.exp(theta[-1])
        scaled = self._distances / scales[:, None, None] ** 2
        radius = np.sqrt(scaled.sum(axis=0))
        decay = np.exp(-_SQRT5 * radius)
        kernel = signal * (1 + _SQRT5 * radius + 5 / 3 * radius**2) * decay
        n = len(self._losses)
        lower = np.linalg.cholesky(kernel + (noise + _JITTER) * np.eye(n))
        inverse = np.linalg.inv(lower)
        precision = inverse.T @ inverse
        alpha = precision @ self._losses
        outer = precision - np.outer(alpha, alpha)  # d(-log p)/dK = outer / 2
        slope = 5 / 3 * signal * (1 + _SQRT5 * radius) * decay
        gradient = np.empty_like(theta)
        gradient[:-2] = np.einsum("pij,ij->p", scaled, outer * slope) / 2
        gradient[-2] = (outer * kernel).sum() / 2
        gradient[-1] = noise * np.trace(outer) / 2
        value = self._losses @ alpha / 2 + np.log(np.diag(lower)).sum()
        prior = (theta[:-2] - self._location) / 3
        value += (prior * (theta[:-2] - self._location)).sum() / 2 + _noise_prior(theta) + theta[-2] ** 2 / 8
        gradient[:-2] += prior
        gradient[-1] += (theta[-1] + 3) / 9
        gradient[-2] += theta[-2] / 4
        return float(value), gradient

    def _settle(self, theta: Array) -> None:
        self._scales, self._signal = np.exp(theta[:-2]), math.exp(theta[-2])
        self.noise = math.exp(theta[-1] / 2)
        n = len(self._losses)
        kernel = self._kernel(self._points, self._points)
        self._inverse = np.linalg.inv(np.linalg.cholesky(kernel + (self.noise**2 + _JITTER) * np.eye(n)))
        self._alpha = self._inverse.T @ (self._inverse @ self._losses)

    def _kernel(self, left: Array, right: Array) -> Array:
        weights = self._scales[self._groups]
        left, right = left / weights, right / weights
        square = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1) - 2 * left @ right.T
        radius = np.sqrt(np.maximum(square, 0.0))
        return np.asarray(self._signal * (1 + _SQRT5 * radius + 5 / 3 * radius**2) * np.exp(-_SQRT5 * radius))

    def predict(self, points: Array) -> tuple[Array, Array]:
        """Posterior mean and standard deviation of the noiseless loss, each of shape (n_points,)."""
        cross = self._kernel(points, self._points)
        explained = ((cross @ self._inverse.T) ** 2).sum(axis=1)
        return cross @ self._alpha, np.sqrt(np.maximum(self._signal - explained, 0.0))


def _noise_prior(theta: Array) -> float:
    """Negative log density: a noise of about a fifth of the spread of all losses, give or take a factor of four."""
    return float((theta[-1] + 3) ** 2 / 18)


@dataclass(frozen=True)
class Surrogate:
    """A fitted surrogate; losses are in units of the metric.

    Attributes:
        noise: Standard deviation of one measurement.
    """

    columns: tuple[Column, ...]
    centre: float
    scale: float
    noise: float
    process: _Process | None

    @property
    def shows_noise(self) -> bool:
        """True if the losses bear witness to noise: where they do not, the value of a trial is what it is."""
        return self.process is not None and self.process.shows_noise

    def predict(self, units: Array) -> tuple[Array, Array]:
        """Posterior mean and standard deviation of the loss without its noise.

        Args:
            units: Shape (n_points, n_columns), on [0, 1]; NaN where a parameter is inactive.

        Returns:
            Two arrays of shape (n_points,).
        """
        if self.process is None:
            return np.full(len(units), self.centre), np.zeros(len(units))
        with single_threaded_algebra():
            mean, std = self.process.predict(_features(Table(self.columns, units))[0])
        return self.centre + self.scale * mean, self.scale * std


def fit_surrogate(table: Table, losses: Array, *, draws_in: bool = True) -> Surrogate:
    """Fit a surrogate to the trials' losses.

    Losses far above the median are drawn in first: how bad a bad trial was says little about the good ones.

    Args:
        table: The trials' configurations, n_trials of them, at least two, in at least one column.
        losses: Shape (n_trials,), finite.
        draws_in: False for a metric that has a limit, which may lie among what would be drawn in.
    """
    points, groups = _features(table)
    drawn_in = _draw_in(losses) if draws_in else losses
    centre, scale = float(drawn_in.mean()), float(drawn_in.std())
    if scale <= 1e-12 * max(1.0, float(np.abs(losses).max())):
        return Surrogate(table.columns, centre, 0.0, 0.0, None)
    fitted = _thin(drawn_in)
    with single_threaded_algebra():
        process = _Process(points[fitted], groups, (drawn_in[fitted] - centre) / scale)
    return Surrogate(table.columns, centre, scale, scale * process.noise, process)


def _features(table: Table) -> tuple[Array, Array]:
    """Points, shape (n_trials, n_features), and the parameter of each feature, shape (n_features,).

    An unordered parameter becomes one feature a value; an inactive one lies in the middle of its range.
    """
    blocks, groups = [], []
    cells = table.cells()
    for position, column in enumerate(table.columns):
        if column.is_ordered:
            blocks.append(np.nan_to_num(table.units[:, [position]], nan=0.5))
        else:
            one_hot = (cells[:, [position]] == np.arange(column.n_cells)).astype(float)
            blocks.append(one_hot / math.sqrt(2.0))  # two values are one unit apart
        groups.extend([position] * blocks[-1].shape[1])
    return np.concatenate(blocks, axis=1), np.array(groups)


def _draw_in(losses: Array) -> Array:
    """Losses with those above median + 2 (median - lowest decile) moved there."""
    low, middle = np.quantile(losses, [0.1, 0.5])
    # By the good side of the median: the bad side is what is to be held. Twice as far by hand, and the lowest decile
    # instead of the best, which may be luck.
    ceiling = middle + 2 * (middle - low)
    return np.asarray(np.minimum(losses, ceiling)) if ceiling > middle else losses


def _thin(losses: Array) -> npt.NDArray[np.intp]:
    order = np.argsort(losses, kind="stable")
    if len(order) <= MAX_TRIALS:
        return order
    half = MAX_TRIALS // 2
    # Even by rank and not drawn: no random numbers, so that an answer is the same whenever it is computed.
    rest = np.linspace(half, len(order) - 1, MAX_TRIALS - half).astype(int)
    return np.asarray(order[np.concatenate([np.arange(half), rest])])
