"""Draws the parameters of a preset into a space: as many as the budget pays for; reads no history."""

import math
from collections.abc import Mapping

from pegbox.schemas.base import Configuration
from pegbox.schemas.domains import AnyDomain, Constant, Float, Integer
from pegbox.schemas.space import DrawnPreset, Space
from pegbox.schemas.study import StudySpec
from pegbox.schemas.values import as_number

# Picked by hand, after the advice of the playbook to search few parameters at a time: 50 trials then search ten.
TRIALS_A_PARAMETER = 5
FEW_TRIALS = 10
"""Below so many trials only the learning rate is searched."""
# Picked by hand: what the benchmarks of the search end at. A limit of time says nothing before a trial was timed.
USUAL_TRIALS = 50
"""Taken for a budget that counts no trials."""


def draw_published(spec: StudySpec) -> StudySpec:
    """The study with its preset's published ranges drawn into its space; as it is where nothing is to be drawn."""
    return draw(spec, {}, ())


def draw(spec: StudySpec, narrowed: Mapping[str, AnyDomain], narrowed_by: tuple[str, ...]) -> StudySpec:
    """The study with its preset drawn into its space.

    What the study file writes out itself stays as it is written, and counts; the first parameter of the preset and
    those that conditions name are drawn whatever the budget. Known configurations widen ranges that would leave them
    outside.

    Args:
        spec: The study.
        narrowed: Domains that replace published ones, by name.
        narrowed_by: The studies that they come from.

    Source: Godbole et al. 2023 (the tuning playbook): below 10 trials the learning rate alone, more with the budget.
    """
    space = spec.space
    if not isinstance(space.preset, str):
        return spec
    published = {**space.published, **narrowed}
    named = {parent for domain in space.parameters.values() for parent in domain.when}
    named |= {name for combination in space.forbid for name in combination}
    # What the file writes out is paid for first: the person chose it.
    left = n_affordable(spec) - sum(not isinstance(domain, Constant) for domain in space.parameters.values())
    chosen = {}
    for position, (name, domain) in enumerate(published.items()):
        if name not in space.parameters and (position == 0 or left > 0 or name in named):
            chosen[name] = _holding(domain, name, spec.search.enqueue)
            left -= 1
    # Drawn once and journalled with the study: a newer pegbox with other presets goes on with the space that the study
    # began with.
    drawn = Space(
        parameters={**chosen, **space.parameters},
        forbid=space.forbid,
        preset=DrawnPreset(kind=space.preset, narrowed_by=narrowed_by),
    )
    return StudySpec.model_validate({**dict(spec), "space": drawn})


def n_affordable(spec: StudySpec) -> int:
    """How many parameters the budget pays for: one below 10 trials, then one for every five."""
    budget = spec.budget
    trials = budget.trials or (budget.epochs // spec.full_budget if budget.epochs else USUAL_TRIALS)
    return 1 if trials < FEW_TRIALS else trials // TRIALS_A_PARAMETER


def _holding(domain: AnyDomain, name: str, known: tuple[Configuration, ...]) -> AnyDomain:
    """The domain, widened to the numbers that known configurations have."""
    if not isinstance(domain, Float | Integer):
        return domain
    values = [one[name] for one in known if name in one and not domain.contains(one[name])]
    numbers = [value for value in values if not math.isnan(as_number(value))]
    if not numbers:
        return domain
    raw = domain.model_dump()
    return type(domain).model_validate({**raw, "min": min(raw["min"], *numbers), "max": max(raw["max"], *numbers)})
