"""Conditional parameters of a define-by-run objective, inferred from trials: which value asks for which of them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.trial import FrozenTrial

MOST_VALUES = 64
"""Values of a parameter that others may depend on: what has more, such as a seed, tells trials apart by accident."""


class Condition(NamedTuple):
    """A parameter is there exactly where another one has one of some values."""

    parent: str
    values: tuple[Any, ...]


def inferred_conditions(
    trials: Sequence[FrozenTrial], space: Mapping[str, BaseDistribution]
) -> dict[str, Condition | None]:
    """The condition of each parameter whose presence can be explained; None for one that every trial has.

    A parameter that nothing explains is left out. An inference from few trials may be wrong: a parameter is then asked
    for that was not proposed, or the other way round, and the next trials say better.

    Args:
        trials: Those that ran through; one that failed may have ended before it asked for everything.
        space: The parameters.
    """
    holders = {name: frozenset(one.number for one in trials if name in one.params) for name in space}
    everyone = frozenset(one.number for one in trials)
    # Most widely held first, and a parent has more holders than its child: so parents come first, without a cycle.
    found: dict[str, Condition | None] = {}
    for name in sorted(space, key=lambda one: (-len(holders[one]), one)):
        if holders[name] == everyone:
            found[name] = None
            continue
        parents = [parent for parent in found if _is_discrete(space[parent]) and holders[name] < holders[parent]]
        explained = [condition for parent in parents if (condition := _condition(trials, name, parent)) is not None]
        if explained:
            # The fewest values: a flag that explains it rather than a count that happened to fall in with it.
            found[name] = min(explained, key=lambda one: (_n_values(trials, one.parent), one.parent))
    return found


def _condition(trials: Sequence[FrozenTrial], name: str, parent: str) -> Condition | None:
    """By which values of the parent a parameter is there; None where they do not tell."""
    seen = [(one.params[parent], name in one.params) for one in trials if parent in one.params]
    present = {value for value, is_there in seen if is_there}
    absent = {value for value, is_there in seen if not is_there}
    return None if present & absent else Condition(parent, tuple(sorted(present, key=repr)))


def _n_values(trials: Sequence[FrozenTrial], name: str) -> int:
    return len({one.params[name] for one in trials if name in one.params})


def _is_discrete(distribution: BaseDistribution) -> bool:
    if isinstance(distribution, CategoricalDistribution):
        return len(distribution.choices) <= MOST_VALUES
    return isinstance(distribution, IntDistribution) and (
        (distribution.high - distribution.low) // distribution.step < MOST_VALUES
    )
