"""The answer of a study: what to run, how sure that is, and what to do next; data only."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, FiniteFloat

from pegbox.analysis.advice import Advice
from pegbox.analysis.advised_commands import ask
from pegbox.report.answer_sentences import certainty, verdict
from pegbox.report.incumbent import BrokenConstraint, Front, Incumbent
from pegbox.report.progress import BudgetUse, FailureExample
from pegbox.report.status import Phase, StudyStatus
from pegbox.schemas.base import Configuration, Schema
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.model import ModelCard
from pegbox.schemas.plan import Objective
from pegbox.schemas.selection import Selection
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState
from pegbox.storage.layout import StoreLayout
from pegbox.storage.model_files import LATEST, model_path
from pegbox.storage.model_log import newest_card
from pegbox.storage.queries.examples import best_trials_example
from pegbox.storage.queries.studies import study_names


class Answer(Schema):
    """What a study has to say, while it runs and after it."""

    study: str
    sentence: str
    """What to run and how sure that is or, where that cannot be said, why not."""
    certainty: str = ""
    """How far the finalists can be told apart, in a sentence or two; empty as long as there are none."""
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
    advice: tuple[Advice, ...] = ()
    """What to do next, the most urgent first; the same on the terminal, in JSON, on the page and in Prefect."""
    model: Path | None = None
    """The file of the study's newest model; None where it has none."""
    card: ModelCard | None = None
    """Of that model: its limits, and what it gets wrong on rows that it did not learn from."""
    query: str = ""
    """A command that asks all trials with SQL; empty where the store has no view of them."""


def study_answer(root: Path, study: str | None = None, *, fresh: bool = True) -> Answer:
    """The answer of a study, as far as it has one.

    Args:
        root: The store.
        study: Its name; the one that was active last where it is None.
        fresh: Bring the store up to date first.

    Raises:
        NotFoundError: There is no history, or it holds no such study.
    """
    # Imported here: the schema of an answer is all that those who draw one need, and these load the whole analysis.
    from pegbox.report.explain import explained
    from pegbox.report.next_steps import next_steps
    from pegbox.report.study_reader import StudyReader

    with StudyReader(root, study, fresh=fresh) as reader:
        found, status = explained(StoreLayout(root.absolute()), reader.file, reader.spec), reader.status()
        steps = next_steps(status, found.advice, study_names(reader.file))
        answer = answer_of(reader.spec, status, reader.selection(), reader.view_name, steps)
        card = newest_card(reader.file, answer.study)
    model = model_path(StoreLayout(root.absolute()), answer.study, LATEST)
    return answer.model_copy(update={"model": model if model.is_file() else None, "card": card})


def answer_of(
    spec: StudySpec,
    status: StudyStatus,
    selection: Selection | None,
    view_name: str = "",
    advice: Sequence[Advice] = (),
) -> Answer:
    """Put the answer together.

    Args:
        spec: The study.
        status: How it stands.
        selection: Who won; None as long as nobody has.
        view_name: The SQL view with one column for each parameter.
        advice: As `next_steps` gives it.
    """
    best = status.incumbent
    return Answer(
        study=spec.name,
        sentence=verdict(status, selection),
        certainty=certainty(selection) if selection else "",
        phase=status.phase,
        metric=status.metric,
        goal=status.goal,
        objectives=status.objectives,
        method=status.method,
        method_reason=status.method_reason,
        search_end=status.search_end,
        # The three always from one source: a winner's configuration beside the value that the search saw would promise
        # too much.
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
        advice=tuple(advice),
        query=ask(best_trials_example(view_name, status.goal)) if view_name else "",
    )


def _is_target_reached(status: StudyStatus) -> bool | None:
    """True if one trial reaches the targets of all objectives that have one."""
    goals = [goal for goal in status.objectives if goal.target is not None]
    if not goals or status.incumbent is None:
        return None
    # Of several objectives any trial of the front may reach all targets, not the knee alone.
    best = [one.values for one in status.front.trials] if status.front else [status.incumbent.values]
    return any(all(goal.is_reached_by(values[goal.metric]) for goal in goals) for values in best)
