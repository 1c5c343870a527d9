"""Checks what a study knows beforehand: configurations to try first, and guesses where the best values lie."""

from pegbox.schemas.base import Configuration
from pegbox.schemas.errors import Problem, suggest
from pegbox.schemas.space import Space
from pegbox.schemas.study import StudySpec


def check_enqueued(spec: StudySpec) -> tuple[Problem, ...]:
    """What is wrong with each of them."""
    return tuple(
        Problem(message, ("search", "enqueue", position))
        for position, configuration in enumerate(spec.search.enqueue)
        if (message := _misfit(spec.space, configuration)) is not None
    )


LEARNS_FROM_PRIORS = ("bayes", "freeze_thaw", "genetic")
"""Those whose first points bend. A grid or a Sobol sequence that bent would no longer cover the space evenly."""


def check_priors(spec: StudySpec, method: str) -> tuple[Problem, ...]:
    """What is wrong with the guesses, or with a method that cannot use them."""
    problems = []
    for name, domain in spec.space.parameters.items():
        if domain.prior is None:
            continue
        path = ("space", name, "prior")
        if not domain.contains(domain.prior.value):
            problems.append(Problem(f"The guess {domain.prior.value!r} is not a value of {name}.", path))
        if method not in LEARNS_FROM_PRIORS:
            message = f"The search method {method!r} takes no guesses. Use one of {', '.join(LEARNS_FROM_PRIORS)}."
            problems.append(Problem(message, path))
    return tuple(problems)


def _misfit(space: Space, configuration: Configuration) -> str | None:
    """Why a known configuration does not belong to the space; None where it does."""
    for name, value in configuration.items():
        if name not in space.parameters:
            return f"Unknown parameter {name!r}. {suggest(name, space.parameters)}"
        if not space.is_active(name, configuration):
            return f"{name} is not active here, because its condition does not hold. Leave it out."
        if not space.parameters[name].contains(value):
            return f"{name} cannot be {value!r}, because its domain does not hold it."
    missing = [name for name in space.names() if space.is_active(name, configuration) and name not in configuration]
    if missing:
        return f"A known configuration sets every active parameter, but {', '.join(missing)} is missing. Add it."
    for rule in space.sum:
        if not rule.holds(configuration):
            return f"{', '.join(rule.of)} must add up to {rule.total:g}. Change one of them."
    return "The configuration is forbidden." if space.is_forbidden(configuration) else None
