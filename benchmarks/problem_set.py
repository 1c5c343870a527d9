"""Problems whose best lies inside: interior, noisy, failing, heavy-tailed, high-dimensional and mixed ones.

The constants of the search may be chosen on `DEVELOPMENT`; `KEPT` holds other functions and other instances, on which
nothing is chosen.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from problem_functions import (
    Array,
    Function,
    ackley,
    bowl,
    bumps,
    cliff,
    decaying,
    dixon_price,
    griewank,
    hartmann6,
    levy,
    michalewicz,
    network,
    rastrigin,
    rosenbrock,
    styblinski,
    waves,
)

from pegbox.schemas.base import Configuration
from pegbox.schemas.space import Space
from pegbox.search.space.encoding import SpaceEncoding

RELATIVE_NOISE = 0.1
"""Deviation of the noisy problems, in units of what lies between the best and a median random configuration."""
ACCIDENTS = 0.03
"""Of the trials of a heavy-tailed problem that end far off wherever they are."""
HUGE = 1e6


class Problem(NamedTuple):
    """A loss over a space."""

    group: str
    name: str
    space: dict[str, Any]
    true: Callable[[Configuration], float]
    """The loss without noise."""
    noise: float = 0.0
    """In units of what lies between the best and the median."""
    fails: Callable[[Configuration], bool] | None = None
    explodes: Callable[[Configuration], bool] | None = None
    """Where a loss up to a million takes the place of the true one."""
    best: float | None = None
    """The lowest true loss, where mathematics knows it."""


class Known(NamedTuple):
    """A function with its dimensions and its lowest value."""

    of: Function
    n_dims: int
    best: float | None = 0.0
    """None where mathematics does not know it: a climb looks for it."""


class Reference(NamedTuple):
    """What regrets are measured against."""

    best: float
    median: float


def space_of(n_dims: int) -> dict[str, Any]:
    """Parameters by turns on a log scale, on a linear one, whole numbers and a narrow linear one."""
    kinds: tuple[dict[str, Any], ...] = (
        {"min": 1e-5, "max": 1e-1, "log": True},
        {"min": 0.0, "max": 1.0},
        {"min": 8, "max": 2048, "int": True, "log": True},
        {"min": 0.1, "max": 0.9},
    )
    return {f"x{number}": kinds[number % 4] for number in range(n_dims)}


def unit_of(configuration: Configuration, n_dims: int) -> Array:
    """The point of the unit cube, shape (n_dims,)."""
    units = []
    for name, domain in space_of(n_dims).items():
        value, low, high = float(configuration[name]), domain["min"], domain["max"]  # type: ignore[arg-type]
        units.append(math.log(value / low) / math.log(high / low) if "log" in domain else (value - low) / (high - low))
    return np.array(units)


def function(group: str, name: str, known: Known, idle: int = 0, **more: Any) -> Problem:
    """A function of the first parameters; further ones do nothing."""
    of, n_dims, best = known
    space = space_of(n_dims + idle)
    return Problem(group, name, space, lambda configuration: of(unit_of(configuration, n_dims)), best=best, **more)


def _within(n_dims: int, test: Callable[[Array], bool]) -> Callable[[Configuration], bool]:
    return lambda configuration: test(unit_of(configuration, n_dims))


def _mixed(seed: int) -> Problem:
    """Three families with parameters of their own, a shared one, and categories; one family can reach the best."""
    rng = np.random.default_rng(seed)
    offsets, centres, tables = rng.permutation([0.0, 0.15, 0.4]), 0.2 + 0.6 * rng.random((3, 3)), rng.random((3, 5))
    space: dict[str, Any] = {
        "family": ["a", "b", "c"],
        "kind": ["p", "q", "r", "s", "t"],
        "rate": {"min": 1e-4, "max": 1.0, "log": True},
    }
    for family in "abc":
        when = {"family": family}
        space[f"{family}_depth"] = {"min": 1, "max": 20, "int": True, "when": when}
        space[f"{family}_share"] = {"min": 0.0, "max": 1.0, "when": when}

    def true(configuration: Configuration) -> float:
        name = str(configuration["family"])
        family = "abc".index(name)
        units = np.array(
            [
                1 + math.log10(float(configuration["rate"])) / 4,  # type: ignore[arg-type]
                (float(configuration[f"{name}_depth"]) - 1) / 19,  # type: ignore[arg-type]
                float(configuration[f"{name}_share"]),  # type: ignore[arg-type]
            ]
        )
        penalty = 0.5 * tables[family, "pqrst".index(str(configuration["kind"]))]
        return float(offsets[family] + penalty + np.array([3.0, 1.0, 2.0]) @ (units - centres[family]) ** 2)

    return Problem("mixed", f"families-{seed}", space, true)


def _spoilt(group: str, functions: dict[str, Known], **more: Callable[[Array], bool]) -> list[Problem]:
    return [
        function(group, f"{name}-{group}", one, **{key: _within(one.n_dims, test) for key, test in more.items()})
        for name, one in functions.items()
    ]


def _kinds(functions: dict[str, Known], idle: int) -> list[Problem]:
    """Each function plain, with parameters that do nothing, and noisy."""
    made = [function("interior", name, one) for name, one in functions.items()]
    made += [function("interior", f"{name}-idle{idle}", one, idle=idle) for name, one in functions.items()]
    noisy = (function("noisy", f"{name}-noisy", one, noise=RELATIVE_NOISE) for name, one in functions.items())
    return [*made, *noisy]


def _wide(functions: dict[str, Known], seed: int) -> list[Problem]:
    """Twenty and forty dimensions, of which few matter."""
    made = []
    for n_dims in (20, 40):
        group, fading = f"{n_dims} dimensions", Known(decaying(n_dims, seed + n_dims), n_dims)
        for name, one in functions.items():
            made.append(function(group, f"{name}-of-{n_dims}", one, idle=n_dims - one.n_dims))
        made.append(function(group, f"decaying{seed}-{n_dims}", fading))
    return made


def _development() -> list[Problem]:
    steep = bowl(np.array([0.3, 0.62, 0.55, 0.25, 0.7, 0.45, 0.35, 0.8]), np.array([8, 4, 2, 1, 1, 0.5, 0.3, 0.2]))
    hartmann, valley = Known(hartmann6, 6, -3.32237), Known(rosenbrock, 5)
    functions = {"hartmann6": hartmann, "levy6": Known(levy, 6), "rosenbrock5": valley, "bowl8": Known(steep, 8)}
    some = {name: one for name, one in functions.items() if one is not valley}
    return [
        *_kinds(functions, idle=4),
        *_spoilt("failing", some, fails=lambda x: bool(x[0] + 0.6 * x[1] > 0.95)),
        *_spoilt("heavy", some, explodes=lambda x: bool(x[0] > 0.75 or x[3] > 0.85)),
        *_wide({name: functions[name] for name in ("hartmann6", "levy6")}, seed=0),
        *(_mixed(seed) for seed in (1, 2)),
    ]


def _further() -> list[Problem]:
    """More to develop on: what gains on a few functions alone is mostly luck (decision 23)."""
    functions = {
        "rastrigin5": Known(rastrigin, 5),
        "dixon_price6": Known(dixon_price, 6, None),
        "waves5": Known(waves, 5, None),
        "bumps6": Known(bumps(6, 2), 6, None),
        "network6": Known(network(6, 1), 6, None),
        "cliff6": Known(cliff(6, 1), 6, None),
        "decaying7-1": Known(decaying(7, 1), 7),
        "decaying7-2": Known(decaying(7, 2), 7),
    }
    some = {name: functions[name] for name in ("rastrigin5", "bumps6", "network6", "cliff6")}
    return [
        *_kinds(functions, idle=3),
        *_spoilt("heavy", some, explodes=lambda x: bool(x[0] > 0.8 or x[2] < 0.15)),
        *_wide({name: functions[name] for name in ("rastrigin5", "waves5", "network6", "cliff6")}, seed=1),
        *(_mixed(seed) for seed in (3, 4)),
    ]


def _kept() -> list[Problem]:
    functions = {
        "ackley5": Known(ackley, 5),
        "griewank5": Known(griewank, 5),
        "styblinski6": Known(styblinski, 6, -234.99699),
        "michalewicz5": Known(michalewicz, 5, -4.687658),
        "decaying7": Known(decaying(7, 107), 7),
    }
    some = {name: functions[name] for name in ("ackley5", "styblinski6", "decaying7")}
    return [
        *_kinds(functions, idle=3),
        *_spoilt("failing", some, fails=lambda x: bool(x[1] - 0.5 * x[2] > 0.4)),
        *_spoilt("heavy", some, explodes=lambda x: bool(x[1] > 0.8 or x[2] < 0.2)),
        *_wide({"styblinski6": functions["styblinski6"]}, seed=100),
        *(_mixed(seed) for seed in (101, 102)),
    ]


DEVELOPMENT = {problem.name: problem for problem in (*_development(), *_further())}
KEPT = {problem.name: problem for problem in _kept()}


@cache
def reference(name: str) -> Reference:
    """Best and median true loss of a problem, the median of 1,500 random configurations.

    Deterministic, so that runs of different days are measured against the same.
    """
    problem = (DEVELOPMENT | KEPT)[name]
    encoding = SpaceEncoding(Space.model_validate(problem.space))
    points = encoding.snap(np.random.default_rng(0).random((1500, encoding.n_dims)))
    losses = _losses(problem, encoding, points)
    best = _climbed(problem, encoding, points, losses) if problem.best is None else problem.best
    return Reference(best, float(np.median(losses)))


def _climbed(problem: Problem, encoding: SpaceEncoding, points: Array, losses: Array) -> float:
    """The lowest loss that a climb from the best twelve points finds, with steps that shrink to a hundredth."""
    rng, width = np.random.default_rng(1), 0.2
    for _ in range(40):
        top = np.argsort(losses)[:12]
        near = np.repeat(points[top], 16, axis=0)
        moved = np.where(np.isnan(near), rng.random(near.shape), near + rng.normal(0, width, near.shape))
        tries = encoding.snap(np.clip(np.where(rng.random(near.shape) < 0.4, moved, near), 0, 1))
        points = np.vstack([points[top], tries])
        losses = np.append(losses[top], _losses(problem, encoding, tries))
        width *= 0.92
    return float(losses.min())


def _losses(problem: Problem, encoding: SpaceEncoding, points: Array) -> Array:
    return np.array([problem.true(encoding.decode(point)) for point in points])
