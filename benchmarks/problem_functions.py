"""Functions of the unit cube whose lowest value lies inside, for `problem_set.py`; no space, no noise."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Function = Callable[[Array], float]
"""Of a point of the unit cube, shape (n_dims,)."""


def hartmann6(x: Array) -> float:
    """Six local optima. Source: Dixon & Szegő 1978."""
    a = np.array(
        [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
    )
    p = 1e-4 * np.array(
        [
            [1312, 1696, 5569, 124, 8283, 5886],
            [2329, 4135, 8307, 3736, 1004, 9991],
            [2348, 1451, 3522, 2883, 3047, 6650],
            [4047, 8828, 8732, 5743, 1091, 381],
        ]
    )
    return -float(np.array([1, 1.2, 3, 3.2]) @ np.exp(-(a * (x - p) ** 2).sum(axis=1)))


def levy(x: Array) -> float:
    """Many local optima along a bowl, on [-7, 10]. Source: Laguna & Martí 2005."""
    w = 1 + (-8 + 17 * x) / 4
    inner = ((w[:-1] - 1) ** 2 * (1 + 10 * np.sin(np.pi * w[:-1] + 1) ** 2)).sum()
    return float(np.sin(np.pi * w[0]) ** 2 + inner + (w[-1] - 1) ** 2 * (1 + np.sin(2 * np.pi * w[-1]) ** 2))


def rosenbrock(x: Array) -> float:
    """A bent valley, by its logarithm, on [-2, 2]. Source: Rosenbrock 1960."""
    y = -2 + 4 * x
    return float(np.log1p((100 * (y[1:] - y[:-1] ** 2) ** 2 + (1 - y[:-1]) ** 2).sum()))


def ackley(x: Array) -> float:
    """A funnel full of dents, on [-8, 12]. Source: Ackley 1987."""
    y = -8 + 20 * x
    return float(20 + math.e - 20 * np.exp(-0.2 * np.sqrt((y**2).mean())) - np.exp(np.cos(2 * np.pi * y).mean()))


def griewank(x: Array) -> float:
    """Regular local optima on a bowl, on [-25, 15]. Source: Griewank 1981."""
    y = -25 + 40 * x
    return float((y**2).sum() / 4000 - np.cos(y / np.sqrt(np.arange(1, len(y) + 1))).prod() + 1)


def styblinski(x: Array) -> float:
    """Two valleys in each coordinate, on [-5, 5]. Source: Styblinski & Tang 1990."""
    y = -5 + 10 * x
    return float((y**4 - 16 * y**2 + 5 * y).sum() / 2)


def michalewicz(x: Array) -> float:
    """Steep ridges, on [0, pi]. Source: Michalewicz 1992."""
    y = np.pi * x
    return -float((np.sin(y) * np.sin(np.arange(1, len(y) + 1) * y**2 / np.pi) ** 10).sum())


def bowl(centre: Array, weights: Array) -> Function:
    """A bowl that is steeper in some coordinates than in others."""
    return lambda x: float(weights @ (x - centre) ** 2)


def decaying(n_dims: int, seed: int) -> Function:
    """A bowl of which few coordinates matter much."""
    rng = np.random.default_rng(seed)
    centre, weights = 0.15 + 0.7 * rng.random(n_dims), np.exp(rng.normal(0, 2, n_dims))
    return bowl(centre, weights / weights.sum())


def rastrigin(x: Array) -> float:
    """Regular dents in a bowl, milder than the original, on [-3, 5]. Source: Rastrigin 1974."""
    y = -3 + 8 * x
    return float((y**2 - 4 * np.cos(2 * np.pi * y) + 4).sum())


def dixon_price(x: Array) -> float:
    """Each coordinate bends the next one, by the logarithm, on [-3, 3]. Source: Dixon & Price 1989."""
    y = -3 + 6 * x
    numbers = np.arange(2, len(y) + 1)
    return float(np.log1p((y[0] - 1) ** 2 + (numbers * (2 * y[1:] ** 2 - y[:-1]) ** 2).sum()))


def waves(x: Array) -> float:
    """A wave along a slope with a kink, in each coordinate, on [-5, 5]."""
    y = -5 + 10 * x
    return float(0.3 * (np.abs(y - 1) + np.sin(3 * y)).sum() + 0.1 * ((y - 1) ** 2).sum())


def bumps(n_dims: int, seed: int) -> Function:
    """Eight hollows of different depth and shape, the deepest ones alone in a plain."""
    rng = np.random.default_rng([seed, 31])
    centres, sharpness = 0.1 + 0.8 * rng.random((8, n_dims)), 3 * np.exp(rng.normal(0, 0.8, (8, n_dims)))
    depths = rng.random(8)
    depths[0] = 1.25

    def of(x: Array) -> float:
        squares = (sharpness * (x - centres)) ** 2
        narrow, wide = np.exp(-0.5 * squares.sum(axis=1)), np.exp(-0.125 * squares.sum(axis=1))
        return -float((depths * narrow).max() + 0.3 * (depths * wide).sum())

    return of


def network(n_dims: int, seed: int) -> Function:
    """A random network of 24 units, on a bowl that keeps the best inside."""
    rng = np.random.default_rng([seed, 32])
    weights, biases, outputs = rng.normal(0, 2.5, (24, n_dims)), rng.normal(0, 1.5, 24), rng.normal(0, 0.4, 24)
    centre = 0.2 + 0.6 * rng.random(n_dims)
    return lambda x: float(outputs @ np.tanh(weights @ (x - 0.5) + biases) + 2 * ((x - centre) ** 2).sum())


def cliff(n_dims: int, seed: int) -> Function:
    """As of a learning rate: a plateau below, a cliff above that moves with the second coordinate, bowls elsewhere."""
    rng = np.random.default_rng([seed, 33])
    centre, steepness, tilt = 0.3 + 0.4 * rng.random(n_dims), np.exp(rng.normal(0, 0.7, n_dims)), 0.5 * rng.random()

    def of(x: Array) -> float:
        off = x[0] + tilt * (x[1] - 0.5) - centre[0]
        rate = 0.35 * np.log1p(np.exp(25 * (off - 0.12))) + 1.6 / (1 + np.exp(12 * (off + 0.15)))
        bowls = (steepness[1:] * (x[1:] - centre[1:]) ** 2).sum()
        return float(rate + bowls + abs(0.8 * steepness[2] * (x[2] - centre[2]) * (x[3] - centre[3])))

    return of
