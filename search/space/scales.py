"""The scale on which a range is searched: as declared, or by the logarithm where the range spans decades."""

from pegbox.schemas.domains import AnyDomain, Float, Integer
from pegbox.schemas.space import Space

WIDE = 1000.0
"""Ratio of the ends of a range from which on its values are told apart by their magnitude.

Three decades. With the four of LCBench's weight decay on a linear scale `bayes` ended at a regret of .073, by magnitude
at .028; square and cube roots in between reached .044 and .056 (decision 4). Where it begins was picked by hand.
"""


def by_magnitude(space: Space) -> Space:
    """The same values, the wide ranges on a logarithmic scale whether declared so or not.

    What changes from 0.0001 to 0.001 as much as from 0.01 to 0.1 lies, on a linear scale, in the last hundredth of the
    range, where a method that goes by distances sees a single point.
    """
    scaled = {name: space.parameters[name].model_copy(update={"log": True}) for name in wide_ranges(space)}
    return space.model_copy(update={"parameters": {**space.parameters, **scaled}})


def wide_ranges(space: Space) -> tuple[str, ...]:
    """The parameters whose range spans decades without being declared logarithmic; one with a step keeps its scale."""
    return tuple(name for name, domain in space.parameters.items() if _is_wide(domain))


def _is_wide(domain: AnyDomain) -> bool:
    if not isinstance(domain, Float | Integer) or domain.log or domain.density or domain.step is not None:
        return False
    if isinstance(domain, Integer) and domain.power_of_two:
        return False
    # A step or a density says by itself how the user means the range to be laid out, and is left alone above.
    return domain.min > 0 and domain.max / domain.min >= WIDE
