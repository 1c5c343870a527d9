"""Search space to Optuna's distributions, and values there and back. Optuna is imported on use: it is an extra."""

from typing import Any

from pegbox.schemas.base import Configuration, Value
from pegbox.schemas.domains import AnyDomain, Float, Integer
from pegbox.search.space.axes import Axis
from pegbox.search.space.encoding import SpaceEncoding


class OptunaTerms:
    """Each parameter as the distribution that says most about it.

    Ranges are handed over as ranges. Powers of two, ordered values and ranges with extra values are handed over as
    positions, values without an order as categories.
    """

    def __init__(self, encoding: SpaceEncoding) -> None:
        self._encoding = encoding
        self._terms = {
            name: _term(encoding.space.parameters[name], axis)
            for name, axis in zip(encoding.names, encoding.axes, strict=True)
            if axis.n_values != 1
        }

    def distributions(self, configuration: Configuration) -> dict[str, Any]:
        """Of the active parameters."""
        return {name: self._terms[name].distribution for name in configuration if name in self._terms}

    def outward(self, configuration: Configuration) -> dict[str, Any]:
        """The configuration in Optuna's values."""
        return {name: self._terms[name].outward(value) for name, value in configuration.items() if name in self._terms}

    def suggest(self, trial: Any) -> Configuration:
        """The configuration that a trial of Optuna suggests, parents before children."""
        configuration: dict[str, Value] = {}
        for name, axis in zip(self._encoding.names, self._encoding.axes, strict=True):
            if not self._encoding.space.is_active(name, configuration):
                continue
            term = self._terms.get(name)
            configuration[name] = axis.value(0.5) if term is None else term.suggest(trial, name)
        return configuration


class _RangeTerm:
    """A range that Optuna knows itself."""

    def __init__(self, domain: Float | Integer, axis: Axis) -> None:
        from optuna.distributions import FloatDistribution, IntDistribution

        self._axis, self._domain = axis, domain
        if isinstance(domain, Float):
            self.distribution: Any = FloatDistribution(domain.min, domain.max, log=domain.log)
        else:
            self.distribution = IntDistribution(domain.min, domain.max, log=domain.log)

    def outward(self, value: Value) -> Any:
        """The number itself."""
        return value

    def suggest(self, trial: Any, name: str) -> Value:
        """The number, held within the bounds."""
        bounds = self.distribution
        ask = trial.suggest_int if isinstance(self._domain, Integer) else trial.suggest_float
        return self._axis.value(self._axis.unit(ask(name, bounds.low, bounds.high, log=bounds.log)))


class _CellTerm:
    """Positions of discrete values: a whole number where they have an order, a category where not."""

    def __init__(self, axis: Axis) -> None:
        from optuna.distributions import CategoricalDistribution, IntDistribution

        assert axis.n_values is not None
        self._axis, self._n = axis, axis.n_values
        if axis.is_ordered:
            self.distribution: Any = IntDistribution(0, axis.n_values - 1)
        else:
            self.distribution = CategoricalDistribution(tuple(range(axis.n_values)))

    def outward(self, value: Value) -> Any:
        """The position of the value."""
        return min(int(self._axis.unit(value) * self._n), self._n - 1)

    def suggest(self, trial: Any, name: str) -> Value:
        """The value at the suggested position."""
        if self._axis.is_ordered:
            return self._axis.value((trial.suggest_int(name, 0, self._n - 1) + 0.5) / self._n)
        return self._axis.value((trial.suggest_categorical(name, self.distribution.choices) + 0.5) / self._n)


class _UnitTerm:
    """Everything else, on the unit interval."""

    def __init__(self, axis: Axis) -> None:
        from optuna.distributions import FloatDistribution

        self._axis = axis
        self.distribution: Any = FloatDistribution(0.0, 1.0)

    def outward(self, value: Value) -> Any:
        """Where the value lies."""
        return self._axis.unit(value)

    def suggest(self, trial: Any, name: str) -> Value:
        """The value there."""
        return self._axis.value(trial.suggest_float(name, 0.0, 1.0))


def _term(domain: AnyDomain, axis: Axis) -> _RangeTerm | _CellTerm | _UnitTerm:
    if not isinstance(domain, Float | Integer):
        return _CellTerm(axis)
    if domain.extra or domain.density or (domain.log and domain.step is not None):
        return _UnitTerm(axis)
    has_cells = domain.step is not None or (isinstance(domain, Integer) and domain.power_of_two)
    return _CellTerm(axis) if has_cells else _RangeTerm(domain, axis)
