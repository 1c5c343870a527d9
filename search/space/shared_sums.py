"""Parameters that share a total (a simplex) for strategies that know boxes only: stick-breaking, there and back.

Each parameter of a sum but the last becomes the share that it takes of what the ones before it left; the last one is
what remains. Strategies see the shares, on [0, 1], and trials only ever hold values.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from pegbox.schemas.base import Configuration, Value
from pegbox.schemas.decision import Decision, Start
from pegbox.schemas.domains import AnyDomain, Float
from pegbox.schemas.history import History
from pegbox.schemas.space import Space, Sum
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Trial
from pegbox.schemas.values import as_number
from pegbox.search.space.axes import decimals_of
from pegbox.search.strategy import Strategy
from pegbox.search.trial_cache import TrialCache

FINER = 3
"""Further digits of a value than of its share, so that the share, divided by what is left, comes back as it was. Three
hold while a thousandth of the total is left; picked by hand within the digits of a double."""


class _Part(NamedTuple):
    """One parameter of a sum, given what is left for it and those after it."""

    lowest: float
    """Of its own range."""
    low: float
    """Below, those after it could not take up what is left."""
    high: float
    slack: float
    """What is left beyond the lowest values of all."""
    n_after: int
    """Parameters after it, at least one."""

    def value(self, share: float) -> float:
        """The value whose probability of a lower one is `share`."""
        start, end = self._below(self.low), self._below(self.high)
        reached = start + share * (end - start)
        taken: float = 1 - (1 - reached) ** (1 / self.n_after)
        return min(max(self.lowest + self.slack * taken, self.low), self.high)

    def share(self, value: float) -> float:
        """The inverse of `value`."""
        start, end = self._below(self.low), self._below(self.high)
        return min(max((self._below(value) - start) / (end - start), 0.0), 1.0) if end > start else 0.5

    def _below(self, value: float) -> float:
        """Probability of a lower value for a uniform draw from the simplex, shares ~ Beta(1, n_after).

        Source: Devroye 1986, Non-Uniform Random Variate Generation, ch. V.4; upper bounds truncate it.
        """
        if self.slack <= 0:
            return 0.0
        return float(1 - (1 - min(max((value - self.lowest) / self.slack, 0.0), 1.0)) ** self.n_after)


class SharedSum:
    """One rule: values to shares and back."""

    def __init__(self, rule: Sum, space: Space) -> None:
        self.rule = rule
        domains = [space.parameters[name] for name in rule.of]
        self._ranges = tuple((domain.min, domain.max) for domain in domains if isinstance(domain, Float))
        self._decimals = decimals_of(max(high - low for low, high in self._ranges)) + FINER

    def to_shares(self, configuration: Configuration) -> dict[str, Value]:
        """The configuration with shares in place of the values, the last parameter left out."""
        values = [as_number(configuration[name]) for name in self.rule.of]
        left, shares = self.rule.total, {}
        for position, name in enumerate(self.rule.of[:-1]):
            shares[name] = self._part(position, left).share(values[position])
            left -= values[position]
        return {name: shares.get(name, value) for name, value in configuration.items() if name != self.rule.of[-1]}

    def to_values(self, configuration: Configuration) -> dict[str, Value]:
        """The inverse of `to_shares`."""
        left, values = self.rule.total, {}
        for position, name in enumerate(self.rule.of[:-1]):
            part = self._part(position, left)
            values[name] = round(part.value(as_number(configuration[name])), self._decimals)
            left -= values[name]
        low, high = self._ranges[-1]
        # Held, because subtraction leaves a rounding error that may lie beyond the bound.
        values[self.rule.of[-1]] = min(max(round(left, self._decimals), low), high)
        return {**configuration, **values}

    def _part(self, position: int, left: float) -> _Part:
        low, high = self._ranges[position]
        after = self._ranges[position + 1 :]
        lowest_after, highest_after = math.fsum(one for one, _ in after), math.fsum(one for _, one in after)
        return _Part(
            lowest=low,
            low=max(low, left - highest_after),
            high=min(high, left - lowest_after),
            slack=left - low - lowest_after,
            n_after=len(after),
        )


class SharedSums:
    """All sums of a space."""

    def __init__(self, space: Space) -> None:
        self._sums = tuple(SharedSum(rule, space) for rule in space.sum)
        self._space = space

    def spec(self, spec: StudySpec) -> StudySpec:
        """The study as its strategy is told of it: shares in place of values, also in what it tries first."""
        replaced: Mapping[str, AnyDomain | None] = {
            name: None if name == one.rule.of[-1] else Float(min=0.0, max=1.0)
            for one in self._sums
            for name in one.rule.of
        }
        domains = {name: replaced.get(name, domain) for name, domain in self._space.parameters.items()}
        known = {name: domain for name, domain in domains.items() if domain is not None}
        space = Space(parameters=known, forbid=self._space.forbid, preset=self._space.preset)
        enqueue = tuple(self.to_shares(one) for one in spec.search.enqueue)
        return spec.model_copy(
            update={"space": space, "search": spec.search.model_copy(update={"enqueue": enqueue})},
        )

    def to_shares(self, configuration: Configuration) -> dict[str, Value]:
        """The configuration as the strategy sees it."""
        for one in self._sums:
            configuration = one.to_shares(configuration)
        return dict(configuration)

    def to_values(self, configuration: Configuration) -> dict[str, Value]:
        """The configuration that is trained."""
        for one in self._sums:
            configuration = one.to_values(configuration)
        return dict(configuration)


class SharedSumStrategy:
    """Shows a strategy the shares of every trial, and takes back the values of what it begins."""

    def __init__(self, sums: SharedSums, spec: StudySpec, strategy: Strategy) -> None:
        self._sums, self._spec, self._strategy = sums, spec, strategy
        self._trials: TrialCache[Trial] = TrialCache(self._seen)

    def next(self, history: History, rng: np.random.Generator) -> Decision:
        """The next decision.

        Raises:
            SearchError: The method cannot go on.
        """
        spec = self._spec.model_copy(update={"budget": history.spec.budget})
        # Not model_copy: what a history has cached of its trials' values would be copied along with it.
        fields = {name: getattr(history, name) for name in History.model_fields}
        decision = self._strategy.next(
            History(**{**fields, "spec": spec, "trials": tuple(self._trials.rows(history.trials))}), rng
        )
        if isinstance(decision, Start):
            return decision.model_copy(update={"configuration": self._sums.to_values(decision.configuration)})
        return decision

    def _seen(self, trial: Trial) -> Trial:
        return trial.model_copy(update={"configuration": self._sums.to_shares(trial.configuration)})


def share_sums(
    spec: StudySpec, build: Callable[[StudySpec, Sequence[History]], Strategy], earlier: Sequence[History]
) -> Strategy:
    """The strategy of a study, whether its space holds sums or not."""
    if not spec.space.sum:
        return build(spec, earlier)
    sums = SharedSums(spec.space)
    shown = sums.spec(spec)
    return SharedSumStrategy(sums, shown, build(shown, earlier))
