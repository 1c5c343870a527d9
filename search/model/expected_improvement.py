"""The logarithm of expected improvement, stable where improvement is all but impossible."""

import numpy as np

from pegbox.search.space.axes import Array

_LOG_SQRT_2PI = 0.5 * np.log(2 * np.pi)


def log_improvement(z: Array) -> Array:
    """log(phi(z) + z Phi(z)), element by element.

    Source: Ament et al. 2023, equation 9.

    >>> log_improvement(np.array([0.0, -50.0])).round(2).tolist()
    [-0.92, -1258.74]
    """
    from scipy.special import log_ndtr  # not loaded before a model asks: see gaussian_process.py

    z = np.asarray(z, dtype=float)
    # Above -1 the sum has no cancellation; both branches get harmless arguments for the rows that are not theirs.
    near = z > -1.0
    high = np.where(near, z, 0.0)
    direct = np.log(np.exp(-0.5 * high * high - _LOG_SQRT_2PI) + high * np.exp(log_ndtr(high)))
    low = np.where(near, -1.0, z)
    # phi + z Phi = phi (1 - |z| Phi / phi); the ratio is below 1 and is compared in logarithms.
    ratio = np.log(-low) + log_ndtr(low) + 0.5 * low * low + _LOG_SQRT_2PI
    # expm1 keeps the digits of 1 - ratio; 1e-300 keeps the logarithm from zero where rounding takes them all.
    inner = np.log(np.maximum(-np.expm1(np.minimum(ratio, -1e-300)), 1e-300))
    # Below -1e4 terms of 5e7 would have to cancel to 1e-8, beyond the digits of a double: the asymptote phi / z^2.
    tail = -0.5 * low * low - np.where(low < -1e4, _LOG_SQRT_2PI + 2 * np.log(-low), _LOG_SQRT_2PI - inner)
    return np.asarray(np.where(near, direct, tail))


def log_expected_improvement(mean: Array, deviation: Array, incumbent: float) -> Array:
    """Logarithm of the expected improvement below the incumbent, for minimisation.

    Args:
        mean: Posterior mean at each candidate, shape (n,).
        deviation: Posterior standard deviation, shape (n,), same units, > 0.
        incumbent: The value to fall below, same units.

    Returns:
        Shape (n,).

    Source: Ament et al. 2023, equation 8.
    """
    return np.log(deviation) + log_improvement((incumbent - mean) / deviation)


def log_share_to_learn(deviation: Array, noise: float) -> Array:
    """Logarithm of the share of a training's surprise that is not noise: log(1 - sqrt(noise / (deviation² + noise))).

    Beside the best of noisy trainings the mean is soon known, and one more tells of luck alone; expected improvement
    would go on there all the same.

    Args:
        deviation: Posterior standard deviation of the noise-free value at each candidate, shape (n,), > 0.
        noise: Variance of the noise, in the squares of its units.

    Returns:
        Shape (n,), below zero.

    Source: Huang et al. 2006, equation 12 (augmented expected improvement).

    >>> log_share_to_learn(np.array([0.1, 1.0]), 0.0).round(9).tolist()
    [0.0, 0.0]
    """
    total = deviation * deviation + noise
    # 1 - sqrt(k) = (1 - k) / (1 + sqrt(k)): no difference of two numbers near 1.
    return np.asarray(2 * np.log(deviation) - np.log(total) - np.log1p(np.sqrt(noise / total)))
