"""How a study stands: what a person wants to see while it runs; data only, drawn by `cli` and by the page."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field, FiniteFloat

from pegbox.report.incumbent import Best, BrokenConstraint, Front, Incumbent
from pegbox.report.progress import Activity, BudgetUse, FailureExample, Tally, budget_use
from pegbox.report.time_left import planned_replicates, seconds_left
from pegbox.schemas.base import Configuration, Metrics, Schema
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.plan import Objective
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState
from pegbox.search.auto_method import Pace, choose_method

Curve = Mapping[int, float]
"""Step to value of the objective's metric."""

Phase = Literal["waiting", "searching", "finalists", "done", "interrupted", "failed", "lost"]


class RunState(Schema):
    """The last run that drove the study."""

    run: str = ""
    status: Literal["running", "completed", "interrupted", "failed", "lost"] = "running"
    host: str = ""
    pid: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    message: str = ""


class RunningTrial(Schema):
    """One segment that a worker trains now."""

    trial: int
    replicate: int | None = None
    """Which fresh seed of the finalists' round; None while searching."""
    fold: int = 0
    to_budget: int
    step: int | None = None
    """The last step that was reported; None before the first."""
    value: FiniteFloat | None = None
    """Of the objective's metric, at that step."""
    versus_best: FiniteFloat | None = None
    """Difference to the incumbent at the same step; below 0 is better for minimisation. None with several
    objectives."""
    curve: tuple[FiniteFloat, ...] = ()
    """All values so far, in order of step."""
    seconds: float | None = None
    """Since its segment began."""
    configuration: Configuration


class FinishedTrial(Schema):
    """One trial that will not go on."""

    trial: int
    state: TrialState
    values: Metrics = Field(default={})
    """Objective to value, of those that were measured."""
    broken: tuple[str, ...] = ()
    """What it breaks of the constraints, each in a few words."""
    budget: int
    seconds: float | None = None
    failure: FailureKind | None = None
    message: str | None = None
    configuration: Configuration
    is_best: bool = False
    """Better by the first objective than all that ended before it, and within the constraints."""


class StudyStatus(Schema):
    """How a study stands."""

    study: str
    phase: Phase
    metric: str
    """Of the first objective."""
    goal: Literal["minimize", "maximize"]
    objectives: tuple[Objective, ...]
    method: str
    """Which one proposes; where the study says `auto`, the one that this stands for."""
    method_reason: str | None = None
    """Why `auto` chose it; None where the study names it."""
    earlier: tuple[str, ...] = ()
    """The studies that it learns from."""
    schedule: str
    search_end: str | None = None
    """Why the search is over; None while it goes on."""
    understood: str | None = None
    """What was read of the output of the first program that ended well; None for trainings that are no programs."""
    run: RunState | None = None
    budget: tuple[BudgetUse, ...] = ()
    """The limit that is nearest to its end comes first."""
    counts: dict[TrialState, int] = Field(default={})
    failures: dict[FailureKind, int] = Field(default={})
    """Kinds of failure, most frequent first."""
    failure: FailureExample | None = None
    """The last of the most frequent kind."""
    best: Best | None = None
    """The answer as it stands: the winner on fresh seeds, else the incumbent."""
    incumbent: Incumbent | None = None
    """The best of the trials that compete, as the search saw it; optimistic."""
    best_so_far: tuple[FiniteFloat, ...] = ()
    """How the incumbent's value came about, first to last, at most 32 points; empty with several objectives."""
    front: Front | None = None
    """None with one objective."""
    constraints: tuple[BrokenConstraint, ...] = ()
    """Each with what the completed trials make of it."""
    workers: int
    busy: int = 0
    """Workers that train at this moment."""
    busy_share: float | None = None
    """Of the workers' time since the study began, how much was training; None before the first segment ends."""
    elapsed_seconds: float
    seconds_left: float | None = None
    """An estimate for the whole study, finalists included; None before the first trial ends, and after the last."""
    replicates_done: int = 0
    """Fresh seeds of finalists that have a value, or failed for good."""
    replicates_planned: int = 0
    """At most so many; clear losers get no more of them."""
    running: tuple[RunningTrial, ...] = ()


def _pace(tally: Tally) -> Pace:
    """What `auto` goes by, as the search reads it from the history."""
    completed = tally.counts.get(TrialState.COMPLETED, 0)
    return Pace(tally.n_trials, tally.mean_seconds, tally.cost / completed if completed else 0.0)


def status_of(
    spec: StudySpec,
    tally: Tally,
    run: RunState | None,
    activities: Sequence[Activity] = (),
    best_curve: Curve | None = None,
) -> StudyStatus:
    """Put together how a study stands.

    Args:
        spec: As the study was last opened.
        tally: Of its trials.
        run: The last run; None where none has begun.
        activities: The segments that are being trained.
        best_curve: The incumbent's values by step, to compare running trials with.
    """
    objective = spec.goals[0]
    budget = budget_use(spec.budget, tally)
    phase = _phase(tally, run)
    choice = choose_method(spec, _pace(tally))
    is_going_on = phase in {"searching", "finalists"}
    planned = tally.n_replicates if phase == "done" else planned_replicates(spec, tally, activities)
    return StudyStatus(
        study=spec.name,
        phase=phase,
        metric=objective.metric,
        goal=objective.goal,
        objectives=spec.goals,
        method=choice.method,
        method_reason=choice.reason if spec.search.method == "auto" else None,
        earlier=tally.earlier,
        schedule=spec.trial_schedule.name,
        search_end=tally.search_end,
        understood=tally.understood,
        run=run,
        budget=budget,
        counts=tally.counts,
        failures=tally.failures,
        failure=tally.failure,
        best=tally.best,
        incumbent=tally.incumbent,
        best_so_far=tally.best_so_far,
        front=tally.front,
        constraints=tally.broken,
        workers=spec.run.workers,
        # Trials that train together in one process are several activities of one worker.
        busy=min(len(activities), spec.run.workers),
        # Towards the end workers idle by design, since elimination leaves fewer seeds than there are workers.
        busy_share=_busy_share(spec, tally) if phase == "searching" else None,
        elapsed_seconds=tally.elapsed_seconds,
        seconds_left=seconds_left(spec, tally, activities) if is_going_on else None,
        replicates_done=tally.n_replicates,
        replicates_planned=planned,
        running=tuple(_running(activity, best_curve or {}) for activity in activities),
    )


def _phase(tally: Tally, run: RunState | None) -> Phase:
    if run is None:
        return "waiting"
    if run.status == "completed":
        return "done"
    if run.status != "running":
        return run.status
    if not tally.n_trials:
        return "waiting"
    return "searching" if tally.search_end is None else "finalists"


def _busy_share(spec: StudySpec, tally: Tally) -> float | None:
    # Two rounds of trials, picked by hand: the start of the workers weighs too much in the first.
    if tally.tried < 2 * spec.run.workers or not tally.trained_seconds or not tally.elapsed_seconds:
        return None  # too early to say
    return min(1.0, tally.trained_seconds / (tally.elapsed_seconds * spec.run.workers))


def _running(activity: Activity, best_curve: Curve) -> RunningTrial:
    step = max(activity.curve, default=None)
    value = None if step is None else activity.curve[step]
    # A fresh seed is compared with other seeds by the selection; beside a curve of the search it would tell of luck.
    reference = None if step is None or activity.replicate is not None else best_curve.get(step)
    return RunningTrial(
        trial=activity.trial,
        replicate=activity.replicate,
        fold=activity.fold,
        to_budget=activity.to_budget,
        step=step,
        value=value,
        versus_best=None if value is None or reference is None else value - reference,
        curve=tuple(activity.curve[one] for one in sorted(activity.curve)),
        seconds=activity.seconds,
        configuration=activity.configuration,
    )
