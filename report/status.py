"""How a study stands: what a person wants to see while it runs; data only, drawn by `cli` and by the page."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field, FiniteFloat

from pegbox.report.progress import BudgetUse, Incumbent, budget_use, incumbent
from pegbox.schemas.base import Configuration, Schema
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.history import History
from pegbox.schemas.trial import TrialState

Curve = Mapping[int, float]
"""Step to value of the objective's metric."""

Phase = Literal["waiting", "searching", "finalists", "done", "interrupted", "failed", "lost"]


class RunningTrial(Schema):
    """One trial that a worker trains now."""

    trial: int
    replicate: int | None = None
    """Which fresh seed of the finalists' round; None while searching."""
    worker: str = ""
    to_budget: int
    step: int | None = None
    """The last step that was reported; None before the first."""
    value: FiniteFloat | None = None
    """Of the objective's metric, at that step."""
    versus_best: FiniteFloat | None = None
    """Difference to the incumbent at the same step; below 0 is better for minimisation."""
    curve: tuple[FiniteFloat, ...] = ()
    """All values so far, in order of step."""
    seconds: float | None = None
    """Since its segment began."""
    configuration: Configuration


class FinishedTrial(Schema):
    """One trial that will not go on."""

    trial: int
    state: TrialState
    value: FiniteFloat | None = None
    budget: int
    seconds: float | None = None
    failure: FailureKind | None = None
    message: str | None = None
    configuration: Configuration
    is_best: bool = False
    """True if it was the best of all when it finished."""


class RunState(Schema):
    """The last run that drove the study."""

    status: Literal["running", "completed", "interrupted", "failed", "lost"] = "running"
    host: str = ""
    pid: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    message: str = ""


class StudyStatus(Schema):
    """How a study stands at one version of its history."""

    study: str
    version: int
    phase: Phase
    metric: str
    goal: Literal["minimize", "maximize"]
    method: str
    schedule: str
    run: RunState | None = None
    budget: tuple[BudgetUse, ...] = ()
    """The limit that is nearest to its end comes first."""
    counts: dict[TrialState, int] = Field(default={})
    failures: dict[FailureKind, int] = Field(default={})
    """Kinds of failure, most frequent first."""
    best: Incumbent | None = None
    workers: int
    busy: int = 0
    elapsed_seconds: float
    seconds_left: float | None = None
    """An estimate for the whole study, finalists included; None before the first trial ends, and after the last."""
    replicates_done: int = 0
    replicates_planned: int = 0
    running: tuple[RunningTrial, ...] = ()


class Activity(Schema):
    """What the history leaves out of a running segment, from the tables of segments and metrics."""

    trial: int
    replicate: int | None = None
    worker: str = ""
    to_budget: int
    seconds: float | None = None
    curve: dict[int, FiniteFloat] = Field(default={})
    """Step to value of the objective's metric."""


def status_of(
    history: History, run: RunState | None, activities: Sequence[Activity] = (), best_curve: Curve | None = None
) -> StudyStatus:
    """Put together how a study stands.

    Args:
        history: At any version.
        run: The last run; None where none has begun.
        activities: The segments that are being trained.
        best_curve: The incumbent's values by step, to compare running trials with.
    """
    spec, objective = history.spec, history.objectives[0]
    best = incumbent(history)
    phase = _phase(history, run)
    budget = budget_use(history)
    replicates = sum(len(trial.replicates) for trial in history.trials)
    planned = min(spec.finalists.top, max(1, len(history.completed))) * spec.finalists.seeds
    return StudyStatus(
        study=spec.name,
        version=history.version,
        phase=phase,
        metric=objective.metric,
        goal=objective.goal,
        method=spec.search.method,
        schedule=spec.fidelity.schedule,
        run=run,
        budget=budget,
        counts={state: count for state in TrialState if (count := _count(history, state))},
        failures=_failures(history),
        best=best,
        workers=spec.run.workers,
        busy=min(len(activities), spec.run.workers),
        elapsed_seconds=history.elapsed_seconds,
        seconds_left=_seconds_left(history, budget, planned - replicates)
        if phase in {"searching", "finalists"}
        else None,
        replicates_done=min(replicates, planned),
        replicates_planned=planned,
        running=tuple(_running(history, activity, best, best_curve or {}) for activity in activities),
    )


def finished_trials(history: History) -> tuple[FinishedTrial, ...]:
    """The trials that ended, by number."""
    objective = history.objectives[0]
    best = float("inf")
    finished = []
    for trial in history.trials:
        if not trial.state.is_finished:
            continue
        value = trial.value(objective.metric)
        counts = trial.state is TrialState.COMPLETED and value is not None
        is_best = counts and objective.loss(value or 0.0) < best
        if is_best:
            best = objective.loss(value or 0.0)
        finished.append(
            FinishedTrial(
                trial=trial.number,
                state=trial.state,
                value=value,
                budget=trial.budget,
                seconds=trial.evaluations[-1].seconds if trial.evaluations else None,
                failure=trial.failure.kind if trial.failure else None,
                message=trial.failure.message if trial.failure else None,
                configuration=trial.configuration,
                is_best=is_best,
            )
        )
    return tuple(finished)


def _phase(history: History, run: RunState | None) -> Phase:
    if run is None:
        return "waiting"
    if run.status == "completed":
        return "done"
    if run.status != "running":
        return run.status
    if not history.trials:
        return "waiting"
    has_replicates = any(trial.replicates for trial in history.trials)
    is_over = any(use.share >= 1 for use in budget_use(history)) and not history.active
    return "finalists" if is_over or has_replicates else "searching"


def _count(history: History, state: TrialState) -> int:
    return sum(trial.state is state for trial in history.trials)


def _failures(history: History) -> dict[FailureKind, int]:
    kinds = [trial.failure.kind for trial in history.failed if trial.failure]
    return {kind: kinds.count(kind) for kind in sorted(set(kinds), key=lambda kind: (-kinds.count(kind), kind))}


def _seconds_left(history: History, phase: Phase, budget: Sequence[BudgetUse], replicates_left: int) -> float | None:
    """Time goes on as it went: the search until its first limit, then what is missing of the finalists' round."""
    finished = len(history.trials) - len(history.active)
    if phase not in {"searching", "finalists"} or not finished or not history.elapsed_seconds:
        return None
    rates = [history.elapsed_seconds * (1 - use.share) / use.share for use in budget if use.share > 0]
    seconds = [trial.evaluations[-1].seconds for trial in history.completed if trial.evaluations]
    finalists = max(0, replicates_left) * (sum(seconds) / len(seconds) if seconds else 0) / history.spec.run.workers
    return min(rates, default=0.0) + finalists


def _running(history: History, activity: Activity, best: Incumbent | None, best_curve: Curve) -> RunningTrial:
    step = max(activity.curve, default=None)
    value = None if step is None else activity.curve[step]
    reference = None if step is None else best_curve.get(step)
    is_search = activity.replicate is None and best is not None
    return RunningTrial(
        trial=activity.trial,
        replicate=activity.replicate,
        worker=activity.worker,
        to_budget=activity.to_budget,
        step=step,
        value=value,
        versus_best=value - reference if is_search and value is not None and reference is not None else None,
        curve=tuple(activity.curve[one] for one in sorted(activity.curve)),
        seconds=activity.seconds,
        configuration=history.trials[activity.trial].configuration,
    )
