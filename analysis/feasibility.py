"""Which trials keep the constraints of their study, and how near the others come; ranks nothing by an objective."""

import numpy as np

from pegbox.schemas.history import History
from pegbox.schemas.plan import Constraint
from pegbox.schemas.trial import Trial


def feasible(history: History, trials: tuple[Trial, ...]) -> tuple[Trial, ...]:
    """Those that may win: they lie in the space and are known to keep every constraint."""
    return tuple(trial for trial in trials if history.may_win(trial))


def nearest(history: History, trials: tuple[Trial, ...]) -> Trial | None:
    """The trial that comes nearest to keeping all constraints; None where none has all of their metrics.

    Violations are added up, each as a share of the largest of its constraint.

    Source: Deb 2000, for trials of which none is feasible.
    """
    constraints = history.spec.constraints
    measured = [(trial, _violations(trial, constraints)) for trial in trials]
    known = [(trial, violations) for trial, violations in measured if violations is not None]
    if not known:
        return None
    violations = np.maximum([row for _, row in known], 0.0)
    # In shares of the largest: constraints come in units of their own (parameters, milliseconds) and cannot be added.
    largest = violations.max(axis=0)
    total = (violations / np.where(largest > 0, largest, 1.0)).sum(axis=1)
    return known[int(np.argmin(total))][0]


def _violations(trial: Trial, constraints: tuple[Constraint, ...]) -> list[float] | None:
    found = [trial.violation(constraint) for constraint in constraints]
    known = [violation for violation in found if violation is not None]
    return known if len(known) == len(found) else None


def none_feasible(history: History, trials: tuple[Trial, ...]) -> str:
    """That no trial may win and why not, in one or two sentences; of those in the space, which is nearest to it."""
    inside = tuple(trial for trial in trials if history.space.contains(trial.configuration))
    if trials and not inside:
        who = "The only trial with a value lies" if len(trials) == 1 else f"All {len(trials)} trials with a value lie"
        return f"{who} outside the space of study {history.spec.name!r}, which was narrowed since."
    trials, best = inside, nearest(history, inside)
    said = f"No trial of study {history.spec.name!r} keeps its constraints"
    if best is None:
        unknown = [one.metric for one in history.spec.constraints if all(t.violation(one) is None for t in trials)]
        names = ", ".join(repr(name) for name in unknown or [one.metric for one in history.spec.constraints])
        return f"{said}: none reports {names}. Report it in training, or leave the constraint out."
    return f"{said}: trial {best.number} is nearest, with {unkept(history, best)}."


def unkept(history: History, trial: Trial) -> str:
    """The constraints that a trial does not keep, such as `parameters = 1200 (at most 1000)`."""
    return ", ".join(_told(trial, one) for one in history.spec.constraints if not trial.keeps(one))


def _told(trial: Trial, constraint: Constraint) -> str:
    limits = [f"at most {constraint.max:g}"] if constraint.max is not None else []
    limits += [f"at least {constraint.min:g}"] if constraint.min is not None else []
    value = trial.measured(constraint.metric)
    return f"{constraint.metric} {'not measured' if value is None else f'= {value:g}'} ({', '.join(limits)})"
