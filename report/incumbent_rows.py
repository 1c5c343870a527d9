"""What the trials of a study have reached by its objectives and constraints; asks a store, draws nothing."""

from pegbox.report.incumbent import Best, BrokenConstraint, Front, Incumbent, front_of, limit_in_words
from pegbox.schemas.base import Configuration, Value
from pegbox.schemas.plan import Constraint
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.competing import Leading, competing_trials, limit_tally
from pegbox.storage.queries.trials import measured_trial

# Picked by hand: twice what the terminal draws of it, which thins out on its own.
MOST_POINTS = 32
"""Of the best so far."""


def front(file: HistoryFile, spec: StudySpec) -> Front | None:
    """The front of several objectives; None with one, or where no trial competes."""
    if len(spec.goals) == 1:
        return None
    found = competing_trials(file, spec.name)
    return front_of([(one.number, one.values) for one in found], spec.goals) if found else None


def best(leads: Leading) -> Best | None:
    """The answer as it stands; None where no trial competes."""
    if leads.best is None or leads.best_value is None:
        return None
    return Best(trial=leads.best, value=leads.best_value, is_selected=leads.is_selected)


def incumbent(file: HistoryFile, spec: StudySpec, trial: int) -> Incumbent:
    """A trial that has values of all objectives, by its number."""
    found = measured_trial(file, spec.name, trial)
    return Incumbent(
        trial=trial,
        value=found.values[0],
        values={goal.metric: value for goal, value in zip(spec.goals, found.values, strict=True)},
        budget=found.budget,
        configuration=in_file_order(spec, found.configuration),
    )


def broken_constraints(file: HistoryFile, spec: StudySpec) -> tuple[BrokenConstraint, ...]:
    """What the completed trials make of each constraint."""
    return tuple(_broken(file, spec, constraint) for constraint in spec.constraints)


def in_file_order(spec: StudySpec, configuration: Configuration) -> dict[str, Value]:
    """A configuration of the database, which keeps keys by name, in the order of the study file."""
    return {name: configuration[name] for name in [*spec.space.parameters, *configuration] if name in configuration}


def _broken(file: HistoryFile, spec: StudySpec, constraint: Constraint) -> BrokenConstraint:
    found = limit_tally(file, spec.name, constraint)
    return BrokenConstraint(
        metric=constraint.metric,
        limit=limit_in_words(constraint),
        n_broken=found.n_broken,
        nearest=found.nearest,
    )
