"""Populations: the lineage of their trials, and the schedule of hyperparameters that a trial's weights have seen."""

from pydantic import FiniteFloat

from pegbox.schemas.base import Schema
from pegbox.schemas.trial import Stage
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.asking import ParamsColumn, ask


class Changed(Schema):
    """One hyperparameter of a copy, as text."""

    before: str | None
    """Of the parent; None where it was not active there."""
    after: str | None


class LineageRow(Schema):
    """One trial of a population, as the view `lineage` has it."""

    member: int
    generation: int
    trial: int
    parent: int | None
    replaces: int | None
    from_budget: int
    budget: int
    state: str
    value: FiniteFloat | None
    changed: dict[str, Changed]


class _Link(Schema):
    trial: int
    parent: int | None
    from_budget: int
    budget: int
    params: ParamsColumn


def lineage(file: HistoryFile, study: str) -> tuple[LineageRow, ...]:
    """All trials of a population, by member; empty where the study trains none."""
    columns = ", ".join(LineageRow.model_fields)
    query = f"SELECT {columns} FROM lineage WHERE study = $study ORDER BY member, trial"  # noqa: S608 - own names
    return ask(file, LineageRow, query, study=study)


def schedule_of(file: HistoryFile, study: str, trial: int) -> tuple[Stage, ...]:
    """What the weights of a trial have learnt under, first stage to last; empty where that is one stage."""
    query = (
        "SELECT l.trial, l.parent, l.from_budget, l.budget, t.params::JSON AS params "
        "FROM lineage AS l JOIN trials AS t ON t.study = l.study AND t.number = l.trial WHERE l.study = $study"
    )
    links = {link.trial: link for link in ask(file, _Link, query, study=study)}
    stages: list[Stage] = []
    link = links.get(trial)
    end = link.budget if link else 0
    while link is not None:
        stages.append(Stage(configuration=link.params, to_budget=max(end, 1)))
        end = link.from_budget
        link = None if link.parent is None else links.get(link.parent)
    return tuple(reversed(stages)) if len(stages) > 1 else ()
