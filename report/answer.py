"""The answer of a study: what to run, how sure that is, and what to do next; data only."""

import shlex
from pathlib import Path
from typing import Literal

from pydantic import Field, FiniteFloat

from pegbox.analysis.advised_commands import ask
from pegbox.report.answer_sentences import verdict
from pegbox.report.incumbent import BrokenConstraint, Front, Incumbent
from pegbox.report.progress import BudgetUse, FailureExample
from pegbox.report.status import Phase, StudyStatus
from pegbox.schemas.base import Configuration, Schema
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.plan import Objective
from pegbox.schemas.selection import Selection
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState
from pegbox.storage.queries.examples import best_trials_example


class NextStep(Schema):
    """Something worth doing, and how."""

    why: str
    """One sentence."""
    command: str


class Answer(Schema):
    """What a study has to say, while it runs and after it."""

    study: str
    sentence: str
    """What to run and how sure that is or, where that cannot be said, why not."""
    phase: Phase
    metric: str
    """Of the first objective."""
    goal: Literal["minimize", "maximize"]
    objectives: tuple[Objective, ...]
    method: str
    """Which one proposes; where the study says `auto`, the one that this stands for."""
    method_reason: str | None = None
    """Why `auto` chose it; None where the study names it."""
    search_end: str | None = None
    """Why the search is over; None while it goes on."""
    configuration: Configuration | None = None
    """What to run: the winner's, or the incumbent's as long as there is no winner; None before any trial has ended."""
    trial: int | None = None
    value: FiniteFloat | None = None
    """What to expect of it: the winner's true mean as it is believed to be, to which the interval belongs (its plain
    mean on fresh seeds is `mean` of the finalist); the value that the search saw as long as there is no winner. Of the
    first objective."""
    selection: Selection | None = None
    """Who won on fresh seeds; None as long as nobody has."""
    incumbent: Incumbent | None = None
    """The best that the search saw; optimistic."""
    front: Front | None = None
    """With several objectives: the front as the search saw it; that of the finalists is in the selection."""
    constraints: tuple[BrokenConstraint, ...] = ()
    """Each with what the completed trials make of it."""
    counts: dict[TrialState, int] = Field(default={})
    failures: dict[FailureKind, int] = Field(default={})
    failure: FailureExample | None = None
    """The last of the most frequent kind."""
    elapsed_seconds: float
    budget: tuple[BudgetUse, ...] = ()
    target: FiniteFloat | None = None
    """The value that was asked for; of several objectives the first that has one."""
    is_target_reached: bool | None = None
    """None where no target was set, or nothing was measured."""
    next_steps: tuple[NextStep, ...] = ()


def study_answer(root: Path, study: str | None = None, *, fresh: bool = True) -> Answer:
    """The answer of a study, as far as it has one.

    Args:
        root: The store.
        study: Its name; the one that was active last where it is None.
        fresh: Bring the store up to date first.

    Raises:
        NotFoundError: There is no history, or it holds no such study.
    """
    from pegbox.report.study_reader import StudyReader

    with StudyReader(root, study, fresh=fresh) as reader:
        return answer_of(reader.spec, reader.status(), reader.selection(), reader.view_name)


def answer_of(spec: StudySpec, status: StudyStatus, selection: Selection | None, view_name: str = "") -> Answer:
    """Put the answer together.

    Args:
        spec: The study.
        status: How it stands.
        selection: Who won; None as long as nobody has.
        view_name: The SQL view with one column for each parameter.
    """
    best = status.incumbent
    return Answer(
        study=spec.name,
        sentence=verdict(status, selection),
        phase=status.phase,
        metric=status.metric,
        goal=status.goal,
        objectives=status.objectives,
        method=status.method,
        method_reason=status.method_reason,
        search_end=status.search_end,
        configuration=selection.configuration if selection else best.configuration if best else None,
        trial=selection.winner if selection else best.trial if best else None,
        value=selection.best.expected if selection else best.value if best else None,
        selection=selection,
        incumbent=best,
        front=status.front,
        constraints=status.constraints,
        counts=status.counts,
        failures=status.failures,
        failure=status.failure,
        elapsed_seconds=status.elapsed_seconds,
        budget=status.budget,
        target=next((goal.target for goal in spec.goals if goal.target is not None), None),
        is_target_reached=_is_target_reached(status),
        next_steps=_next_steps(spec, status, selection, view_name),
    )


def _is_target_reached(status: StudyStatus) -> bool | None:
    """True if one trial reaches the targets of all objectives that have one."""
    goals = [goal for goal in status.objectives if goal.target is not None]
    if not goals or status.incumbent is None:
        return None
    best = [one.values for one in status.front.trials] if status.front else [status.incumbent.values]
    return any(all(goal.is_reached_by(values[goal.metric]) for goal in goals) for values in best)


def _next_steps(
    spec: StudySpec, status: StudyStatus, selection: Selection | None, view_name: str
) -> tuple[NextStep, ...]:
    """What can be done at once, as commands that can be typed; the query comes last, because it is always possible."""
    name = shlex.quote(spec.name)
    steps = []
    if status.incumbent is None and status.failures and not selection:
        steps.append(
            NextStep(why="Mend the cause, then give the trials another attempt:", command=f"pegbox retry {name}")
        )
    elif status.phase in {"interrupted", "lost", "failed"} and status.search_end is None:
        steps.append(NextStep(why="The last run did not end; go on with it:", command=f"pegbox resume {name}"))
    if selection and _may_be_told_apart(selection):
        more = f"pegbox resume {name} --set finalists.seeds={2 * (spec.finalists.seeds or len(selection.best.values))}"
        steps.append(NextStep(why=f"{_tied(selection)} More seeds may tell:", command=more))
    if view_name:
        steps.append(NextStep(why="Ask all trials with SQL:", command=ask(best_trials_example(view_name, status.goal))))
    return tuple(steps)


def _may_be_told_apart(selection: Selection) -> bool:
    """True if there are ties that more seeds may break; those of a front are as good in another way."""
    is_spread = len({value for one in selection.finalists for value in one.values}) > 1
    return bool(selection.ties) and not selection.front and is_spread


def _tied(selection: Selection) -> str:
    seeds = len(selection.best.values)
    numbers = ", ".join(map(str, selection.ties))
    trials = "trial" if len(selection.ties) == 1 else "trials"
    return f"{seeds} seed{'s' if seeds > 1 else ''} cannot tell the winner from {trials} {numbers}."
