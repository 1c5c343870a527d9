"""A search space on the unit cube: configurations to points and back, whole arrays at a time; inactive is NaN."""

from collections.abc import Hashable, Mapping

import numpy as np
import numpy.typing as npt

from pegbox.schemas.base import Configuration, Value
from pegbox.schemas.space import Space
from pegbox.schemas.values import identity
from pegbox.search.space.axes import Array, Axis, axis_of

Key = tuple[Hashable, ...]
"""Equal for two configurations exactly when they train the same thing."""
Mask = npt.NDArray[np.bool_]

SAME = 1e-12
"""Units closer than this stand for the same number; rounding errors of a unit are some 1e-16, cells far wider."""
_INACTIVE = ("inactive",)


class SpaceEncoding:
    """Points of the unit cube, one column a parameter, parents before children; NaN where a parameter is inactive."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.names = space.order
        self.axes: tuple[Axis, ...] = tuple(axis_of(space.parameters[name]) for name in self.names)
        column = {name: position for position, name in enumerate(self.names)}
        self._conditions: tuple[tuple[tuple[int, Array], ...], ...] = tuple(
            tuple(
                (column[parent], self._units(column[parent], wanted))
                for parent, wanted in space.parameters[name].when.items()
            )
            for name in self.names
        )

    @property
    def n_dims(self) -> int:
        """Number of parameters, constants included."""
        return len(self.names)

    def decode(self, point: Array) -> dict[str, Value]:
        """The configuration at a point of shape (n_dims,); columns of inactive parameters are not looked at."""
        configuration: dict[str, Value] = {}
        for position, name in enumerate(self.names):
            if self.space.is_active(name, configuration):
                configuration[name] = self.axes[position].value(float(point[position]))
        return configuration

    def encode(self, configuration: Configuration) -> Array:
        """The point that stands for a configuration, shape (n_dims,); `decode` takes it back exactly."""
        point = np.full(self.n_dims, np.nan)
        for position, name in enumerate(self.names):
            if name in configuration:
                point[position] = self.axes[position].unit(configuration[name])
        return point

    def key(self, configuration: Configuration) -> Key:
        """What tells the configuration from all others; numbers closer than the encoding can hold are the same."""
        return tuple(
            identity(axis.value(axis.unit(configuration[name]))) if name in configuration else _INACTIVE
            for name, axis in zip(self.names, self.axes, strict=True)
        )

    def snap(self, points: Array) -> Array:
        """Points moved to those that stand for their configurations, shape (n, n_dims); NaN where inactive."""
        snapped = np.empty_like(points)
        for position, axis in enumerate(self.axes):
            snapped[:, position] = axis.snap(np.nan_to_num(points[:, position], nan=0.5))
            # Parents stand before children, so theirs are snapped already; NaN is none of the wanted values, so that
            # what hangs on an inactive parent is inactive too.
            for parent, wanted in self._conditions[position]:
                snapped[~_is_one_of(snapped[:, parent], wanted), position] = np.nan
        return snapped

    def allowed(self, snapped: Array) -> Mask:
        """Which snapped points, shape (n, n_dims), are in no forbidden combination; shape (n,)."""
        allowed = np.ones(len(snapped), dtype=bool)
        for combination in self.space.forbid:
            hit = np.ones(len(snapped), dtype=bool)
            for name, bound in combination.items():
                hit &= self._within(snapped, self.names.index(name), bound)
            allowed &= ~hit
        return allowed

    def _within(self, snapped: Array, position: int, bound: object) -> Mask:
        units = snapped[:, position]
        active = ~np.isnan(units)
        # A forbidden combination meets only who has the parameter: inactive ones are never hit by it.
        if not isinstance(bound, Mapping):
            return active & _is_one_of(units, self._units(position, bound))
        numbers = self.axes[position].numbers(np.where(active, units, 0.5))
        with np.errstate(invalid="ignore"):
            inside = (numbers >= bound.get("min", -np.inf)) & (numbers <= bound.get("max", np.inf))
        return np.asarray(active & inside)

    def _units(self, position: int, wanted: object) -> Array:
        """The points of the values that a condition or a forbidden combination names and the domain holds."""
        domain = self.space.parameters[self.names[position]]
        values = wanted if isinstance(wanted, tuple) else (wanted,)
        held = [value for value in values if domain.contains(value)]
        axis = self.axes[position]
        return np.array([float(axis.snap(np.array([axis.unit(value)]))[0]) for value in held])


def _is_one_of(units: Array, wanted: Array) -> Mask:
    """Which units stand for one of the wanted values, shape (n,); NaN stands for none."""
    return np.asarray((np.abs(units[:, None] - wanted) < SAME).any(axis=1))
