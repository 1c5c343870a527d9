"""Search-space transfer: narrows the ranges of a preset to a box around the best of earlier studies.

Source: Perrone et al. 2019, the box around the best configurations of earlier tasks.
"""

import math
from collections.abc import Mapping, Sequence

from pegbox.analysis.feasibility import feasible
from pegbox.analysis.ranking import comparable, ranked
from pegbox.schemas.base import Configuration
from pegbox.schemas.domains import AnyDomain, Float, Integer
from pegbox.schemas.history import History
from pegbox.schemas.values import as_number

MIN_STUDIES = 3
"""Two points make a box by themselves; picked by hand."""
MIN_TRIALS = 10
"""Completed trials of a study whose best is worth listening to; picked by hand."""
MARGIN = 0.5
"""The box is widened by this share of its width, on its own scale, towards each end: the range of a few draws is nearly
always narrower than that of what they are drawn from. Picked by hand."""
NARROWEST = 1 / 3
"""The share of the published width that is left at least: a few studies do not speak for all. Picked by hand."""


def best_configurations(histories: Sequence[History]) -> dict[str, Configuration]:
    """The winner's configuration, else the best observed one, of each study that has enough trials, by its name."""
    found: dict[str, Configuration] = {}
    for history in histories:
        trials = feasible(history, comparable(history, *history.objectives))
        if len(trials) >= MIN_TRIALS and len(history.objectives) == 1:
            best = ranked(history, history.objectives[0])[0].configuration
            found[history.spec.name] = history.selection.configuration if history.selection else best
    return found


def narrow(published: Mapping[str, AnyDomain], best: Sequence[Configuration]) -> dict[str, AnyDomain]:
    """The ranges of numbers that at least three of the best configurations have, narrowed around them.

    Categories stay: a few winners say little about values that they did not take.
    """
    narrowed: dict[str, AnyDomain] = {}
    for name, domain in published.items():
        if not isinstance(domain, Float | Integer):
            continue
        values = [one[name] for one in best if name in one]
        inside = [as_number(one) for one in values if domain.contains(one) and as_number(one) not in domain.beside]
        if len(inside) >= MIN_STUDIES:
            narrowed[name] = _box(domain, inside)
    return narrowed


def _box(domain: Float | Integer, values: Sequence[float]) -> AnyDomain:
    """The range around the values, within the domain, on the domain's own scale."""
    is_log = domain.log or (isinstance(domain, Integer) and domain.power_of_two)
    low, high = (math.log(end) if is_log else float(end) for end in (domain.min, domain.max))
    inner = [math.log(value) if is_log else value for value in values]
    width = max(inner) - min(inner)
    wanted = max(width * (1 + 2 * MARGIN), NARROWEST * (high - low))
    centre = (max(inner) + min(inner)) / 2
    ends = max(centre - wanted / 2, low), min(centre + wanted / 2, high)
    start, end = (math.exp(one) if is_log else one for one in ends)
    return type(domain).model_validate({**domain.model_dump(), **_rounded(domain, start, end)})


def _rounded(domain: Float | Integer, start: float, end: float) -> dict[str, float]:
    """Ends that the domain can have, outwards; the published ones where nothing would be left between them."""
    if isinstance(domain, Float):
        return {"min": max(float(f"{start:.2g}"), domain.min), "max": min(float(f"{end:.2g}"), domain.max)}
    if domain.power_of_two:
        low, high = 2 ** math.floor(math.log2(start) + 1e-9), 2 ** math.ceil(math.log2(end) - 1e-9)
    else:
        low, high = math.floor(start + 1e-9), math.ceil(end - 1e-9)
    low, high = max(low, domain.min), min(high, domain.max)
    return {"min": low, "max": high} if low < high else {"min": domain.min, "max": domain.max}
