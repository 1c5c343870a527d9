"""Explore: moves the hyperparameters of a copied member, by a factor, to a neighbour, or anywhere."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from pegbox.schemas.base import Configuration, Value
from pegbox.schemas.domains import AnyDomain, Float, Integer, Ordinal
from pegbox.schemas.history import History
from pegbox.schemas.trial import Trial
from pegbox.schemas.values import identity
from pegbox.search.space.encoding import SpaceEncoding

TRIES = 32
"""Draws after which a copy keeps its parent's values, where forbidden combinations leave nothing else; by hand."""


class Perturbation:
    """Each mutable parameter is drawn anew with some probability, and perturbed otherwise.

    Source: Jaderberg et al. 2017, section 4.1.1, `perturb` and `resample`; one draw for each parameter.
    """

    def __init__(
        self, encoding: SpaceEncoding, mutable: Sequence[str], resample: float, factors: Sequence[float]
    ) -> None:
        self._encoding = encoding
        self._mutable = tuple(mutable)
        self._resample = resample
        self._factors = tuple(factors)

    def explore(self, history: History, parent: Trial, budget: int, rng: np.random.Generator) -> Configuration:
        """What a copy of a member is trained with; allowed, and equal to the parent's in all that is not mutable."""
        return allowed_change(self._encoding, parent.configuration, lambda: self._moved(parent.configuration, rng))

    def _moved(self, configuration: Configuration, rng: np.random.Generator) -> dict[str, Value]:
        moved = dict(configuration)
        for name in self._mutable:
            if name in moved:
                moved[name] = self._move(name, moved[name], rng)
        return moved

    def _move(self, name: str, value: Value, rng: np.random.Generator) -> Value:
        axis = self._encoding.axes[self._encoding.names.index(name)]
        # Both are always drawn: what one parameter does must not shift the random numbers of the next.
        draw, place = rng.random(2)
        factor = self._factors[rng.integers(len(self._factors))]
        moved = None if draw < self._resample else perturbed(self._encoding.space.parameters[name], value, factor)
        # Through the axis, so that numbers have the digits and steps that every proposal has.
        return axis.value(float(place) if moved is None else axis.unit(moved))


def allowed_change(
    encoding: SpaceEncoding, configuration: Configuration, draw: Callable[[], Configuration]
) -> Configuration:
    """The first of some drawn changes that the space allows; the configuration itself where it allows none."""
    for _ in range(TRIES):
        changed = draw()
        if encoding.space.contains(changed):
            return changed
    return dict(configuration)


def perturbed(domain: AnyDomain, value: Value, factor: float) -> Value | None:
    """A value times a factor, held in its range, or a neighbour of it; None where only a new draw could move it.

    >>> perturbed(Float(min=0.1, max=1.0), 0.5, 1.2), perturbed(Float(min=0.1, max=0.5), 0.5, 1.2)
    (0.6, 0.5)
    >>> perturbed(Integer(min=1, max=9), 2, 1.2), perturbed(Integer(min=8, max=64, power_of_two=True), 32, 0.8)
    (3, 16)
    >>> perturbed(Ordinal(values=("s", "m", "l"), ordered=True), "m", 0.8)
    's'
    """
    match domain:
        case Ordinal(values=values):
            place = [identity(one) for one in values].index(identity(value)) + (1 if factor > 1 else -1)
            return values[min(max(place, 0), len(values) - 1)]
        case Float() | Integer() if isinstance(value, int | float):
            # A factor moves no zero, and an extra value stands beside the range that it would move in.
            return None if value == 0 or value in domain.beside else _times(domain, value, factor)
        case _:
            # What has no order has no neighbours either: it is kept, and drawn anew now and then.
            return value


def _times(domain: Float | Integer, value: float, factor: float) -> float:
    if isinstance(domain, Integer) and domain.power_of_two:
        value = int(value) * 2 if factor > 1 else int(value) // 2
        return min(max(value, domain.min), domain.max)
    step = domain.step or (1 if isinstance(domain, Integer) else None)
    if step is None:
        return float(min(max(value * factor, domain.min), domain.max))
    position = round((value - domain.min) / step)
    target = round((value * factor - domain.min) / step)
    if target == position:
        # One step at least: 2 times 1.2 is 2 again once it is rounded, and would stay so for ever.
        target += 1 if (factor > 1) == (value > 0) else -1
    last = math.floor((domain.max - domain.min) / step + 1e-9)
    return domain.min + min(max(target, 0), last) * step
