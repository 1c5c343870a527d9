"""`param_distributions` of scikit-learn as a space to search, and what is found there as parameters of an estimator."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from pegbox.integrations.ranges import RawDomain
from pegbox.schemas.base import Configuration, Value

TAIL = 1e-3
"""Probability that is left out at an end of a distribution that has none: one in a thousand draws lies beyond."""
_SPACE = "space"
"""The parameter that says which mapping of a list a candidate is from."""


class Codec(Protocol):
    """Leads between the values that are searched and those that a parameter is set to."""

    def outward(self, value: Value) -> Any:
        """What the parameter is set to."""
        ...


class AsItIs(NamedTuple):
    """The values themselves; lists are lists, as everywhere in pegbox."""

    def outward(self, value: Value) -> Any:
        """The value."""
        return list(value) if isinstance(value, tuple) else value

    def inward(self, value: Any) -> Value:
        """The value."""
        return tuple(value) if isinstance(value, list) else value


class ByPlace(NamedTuple):
    """Values of any kind, such as estimators or functions, by their place in a list."""

    values: Sequence[Any]

    def outward(self, value: Value) -> Any:
        """The value at the place."""
        return self.values[int(str(value))]

    def inward(self, value: Any) -> Value:
        """The place of the value; one that is no place where the list does not hold it."""
        return next((str(place) for place, one in enumerate(self.values) if one is value or one == value), "none")


class Quantiles(NamedTuple):
    """A frozen distribution of scipy by its quantiles: what it draws evenly is searched evenly."""

    distribution: Any

    def outward(self, value: Value) -> Any:
        """The number at the quantile."""
        number = self.distribution.ppf(value)
        return int(number) if hasattr(self.distribution, "pmf") else float(number)


class SearchedDistributions:
    """Domains, lists and frozen distributions of scipy, by name; or a list of such mappings."""

    def __init__(self, distributions: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> None:
        """Read them.

        Raises:
            ValueError: One cannot be searched.
        """
        self.space: dict[str, RawDomain] = {}
        self._codecs: dict[str, tuple[str, Codec]] = {}
        if isinstance(distributions, Mapping):
            self._add(distributions, "", {})
            return
        if len(distributions) > 1:
            self.space[_SPACE] = {"values": list(range(len(distributions)))}
        for place, one in enumerate(distributions):
            if not isinstance(one, Mapping):
                raise ValueError(f"param_distributions[{place}] must be a mapping, got {one!r:.100}.")
            self._add(one, f"{place}:", {_SPACE: place} if len(distributions) > 1 else {})

    def parameters(self, configuration: Configuration) -> dict[str, Any]:
        """What `set_params` of the estimator takes."""
        chosen = {name: value for name, value in configuration.items() if name in self._codecs}
        return {self._codecs[name][0]: self._codecs[name][1].outward(value) for name, value in chosen.items()}

    def _add(self, distributions: Mapping[str, Any], prefix: str, when: Mapping[str, Any]) -> None:
        for name, entry in distributions.items():
            domain, codec = _read(name, entry)
            said = {f"{prefix}{parent}": wanted for parent, wanted in domain.get("when", {}).items()}
            self.space[f"{prefix}{name}"] = domain | ({"when": {**said, **when}} if said or when else {})
            self._codecs[f"{prefix}{name}"] = (name, codec)


def listed(values: Sequence[Any]) -> tuple[dict[str, Any], AsItIs | ByPlace]:
    """A choice among values of any kind, and what leads from what is searched to them."""
    is_plain = all(isinstance(value, str | bool | int | float) for value in values)
    if is_plain and len({repr(value) for value in values}) == len(values):
        return {"values": list(values)}, AsItIs()
    return {"values": [str(place) for place in range(len(values))]}, ByPlace(values)


def _read(name: str, entry: Any) -> tuple[dict[str, Any], Codec]:
    """The domain of an entry, and what leads from its values to those of the parameter."""
    if isinstance(entry, Mapping):
        return dict(entry), AsItIs()
    if hasattr(entry, "ppf") and hasattr(entry, "support"):
        return _frozen(entry)
    if hasattr(entry, "rvs"):
        raise ValueError(
            f"{name}: a {type(entry).__name__} can be drawn from and not searched, for it has no `ppf`. Give a frozen "
            "distribution of scipy, a list, or pegbox.Float(low, high)."
        )
    values = entry.tolist() if hasattr(entry, "tolist") else entry
    if not isinstance(values, list | tuple | range) or len(values) == 0:
        raise ValueError(f"{name}: expected a domain, a list or a distribution, got {entry!r:.100}.")
    return listed(values)


def _frozen(entry: Any) -> tuple[dict[str, Any], Codec]:
    low, high = entry.support()
    if hasattr(entry, "pmf") and entry.dist.name == "randint":
        return {"min": int(low), "max": int(high), "int": True} if low < high else {"value": int(low)}, AsItIs()
    ends = {"min": 0.0 if low > -float("inf") else TAIL, "max": 1.0 if high < float("inf") else 1 - TAIL}
    return ends, Quantiles(entry)
