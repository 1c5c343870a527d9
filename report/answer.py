"""The answer of a study: what to run, how sure that is, and what to do next; data only."""

from pathlib import Path
from typing import Literal

from pydantic import Field, FiniteFloat

from pegbox.report.progress import BudgetUse, Incumbent
from pegbox.report.status import Phase, StudyStatus
from pegbox.schemas.base import Configuration, Schema
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.selection import Finalist, Selection
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState


class NextStep(Schema):
    """Something worth doing, and how."""

    why: str
    """One sentence."""
    command: str


class Answer(Schema):
    """What a study has to say, while it runs and after it."""

    study: str
    phase: Phase
    metric: str
    goal: Literal["minimize", "maximize"]
    configuration: Configuration | None = None
    """What to run: the winner's, or the incumbent's as long as there is no winner; None before any trial has ended."""
    trial: int | None = None
    value: FiniteFloat | None = None
    """What to expect of it: the winner's true mean as it is believed to be, to which the interval belongs (its plain
    mean on fresh seeds is `mean` of the finalist); the value that the search saw as long as there is no winner."""
    selection: Selection | None = None
    """Who won on fresh seeds; None as long as nobody has."""
    incumbent: Incumbent | None = None
    """The best value that the search saw; optimistic."""
    counts: dict[TrialState, int] = Field(default={})
    failures: dict[FailureKind, int] = Field(default={})
    elapsed_seconds: float
    budget: tuple[BudgetUse, ...] = ()
    target: FiniteFloat | None = None
    """The value that was asked for."""
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
    best = status.best
    return Answer(
        study=spec.name,
        phase=status.phase,
        metric=status.metric,
        goal=status.goal,
        configuration=selection.configuration if selection else best.configuration if best else None,
        trial=selection.winner if selection else best.trial if best else None,
        value=expected_value(selection.best) if selection else best.value if best else None,
        selection=selection,
        incumbent=best,
        counts=status.counts,
        failures=status.failures,
        elapsed_seconds=status.elapsed_seconds,
        budget=status.budget,
        target=spec.goals[0].target,
        is_target_reached=_is_target_reached(spec, best),
        next_steps=_next_steps(spec, status, selection, view_name),
    )


def expected_value(finalist: Finalist) -> float:
    """What stands beside the interval of a finalist: its true mean as it is believed to be, or as it was measured."""
    return finalist.mean if finalist.estimate is None else finalist.estimate


def _is_target_reached(spec: StudySpec, best: Incumbent | None) -> bool | None:
    objective = spec.goals[0]
    if objective.target is None or best is None:
        return None
    return objective.loss(best.value) <= objective.loss(objective.target)


def _next_steps(
    spec: StudySpec, status: StudyStatus, selection: Selection | None, view_name: str
) -> tuple[NextStep, ...]:
    """At most three; the query comes last, because it is always possible."""
    steps = []
    if status.phase in {"interrupted", "lost", "failed"}:
        steps.append(
            NextStep(why="The last run did not end; the same command goes on with it.", command="pegbox run STUDY.yaml")
        )
    if selection and selection.ties:
        tied = ", ".join(map(str, selection.ties))
        seeds = spec.finalists.seeds
        steps.append(
            NextStep(
                why=f"{seeds} seeds cannot tell the winner from trial {tied}. More may: run again with",
                command=f"finalists: {{top: {spec.finalists.top}, seeds: {2 * seeds}}}",
            )
        )
    if view_name:
        direction = " DESC" if status.goal == "maximize" else ""
        command = f"FROM {_identifier(view_name)} ORDER BY value{direction} LIMIT 10"
        steps.append(NextStep(why="Ask all trials with SQL:", command=f"pegbox sql {_quoted(command)}"))
    return tuple(steps)


def _identifier(name: str) -> str:
    """As SQL takes it."""
    is_plain = name.isidentifier() and name.isascii()
    return name if is_plain else '"' + name.replace('"', '""') + '"'


def _quoted(text: str) -> str:
    """As one word of a shell."""
    return "'" + text.replace("'", "'\"'\"'") + "'"
