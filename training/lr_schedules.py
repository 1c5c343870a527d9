"""The learning rate as a pure function of the step, so that a trial that continues needs no state of it."""

import math

from pegbox.training.hyperparameters.optimisation import OptimisationHyperparameters

# The defaults of torch's OneCycleLR: pct_start, 1 / div_factor, 1 / (div_factor * final_div_factor).
ONECYCLE_RISE = 0.3
ONECYCLE_START = 1 / 25
ONECYCLE_END = 1e-4 / 25


def lr_factor(settings: OptimisationHyperparameters, step: int, n_steps: int) -> float:
    """What the highest learning rate is multiplied by at a step.

    Args:
        settings: Name and shape of the schedule.
        step: From 0.
        n_steps: Steps of the full budget, so that every rung of one trial lies on one curve.
    """
    if settings.lr_schedule == "onecycle":
        return _onecycle(step / max(1, n_steps - 1))
    warm = settings.warmup * n_steps
    if step < warm:
        # From above 0, since a first step at rate 0 would be lost, to just below 1.
        return (step + 1) / (warm + 1)
    return _after_warmup(settings, (step - warm) / max(1.0, n_steps - warm))


def is_constant(settings: OptimisationHyperparameters) -> bool:
    """True if the learning rate never changes."""
    return settings.lr_schedule == "constant" and settings.warmup == 0


def _after_warmup(settings: OptimisationHyperparameters, progress: float) -> float:
    match settings.lr_schedule:
        case "cosine":  # Loshchilov & Hutter 2017, eq. 5, one cycle down to 0
            return (1 + math.cos(math.pi * progress)) / 2
        case "linear":
            return 1 - progress
        case "step":
            # Two steps, at the thirds: picked by hand, as two suit any budget.
            return math.pow(settings.lr_decay, int(3 * progress))
        case "exponential":
            return math.pow(settings.lr_decay, progress)
        case _:
            return 1.0


def _onecycle(progress: float) -> float:
    """Up to the highest rate and down to almost nothing, along cosines.

    Source: Smith & Topin 2018, with the shares that torch's OneCycleLR takes.
    """
    if progress < ONECYCLE_RISE:
        return _cosine_between(ONECYCLE_START, 1.0, progress / ONECYCLE_RISE)
    return _cosine_between(1.0, ONECYCLE_END, (progress - ONECYCLE_RISE) / (1 - ONECYCLE_RISE))


def _cosine_between(start: float, end: float, progress: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2
