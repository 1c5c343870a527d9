"""The objectives, the space and the trials of a study, as a document of columns; gathered in `trials_block`."""

from typing import Literal

from pydantic import Field, FiniteFloat

from pegbox.page.trial_document import Number
from pegbox.schemas.base import Schema


class Goal(Schema):
    """One objective."""

    metric: str
    goal: Literal["minimize", "maximize"]


class Parameter(Schema):
    """One axis of the space."""

    name: str
    kind: Literal["number", "category"]
    log: bool = False
    whole: bool = False
    low: Number = None
    high: Number = None
    extra: tuple[FiniteFloat, ...] = ()
    """Values beside the range."""
    values: tuple[str, ...] = ()
    """Of a category, as text."""
    condition: str = ""
    """When it is active; empty for always."""


class Trials(Schema):
    """The drawn trials, as columns."""

    n_total: int
    """Of all trials, drawn or not."""
    note: str = ""
    """Says what was drawn where not all were."""
    number: tuple[int, ...] = ()
    state: tuple[str, ...] = ()
    """`infeasible` for a completed trial that does not keep the constraints, `outside` for one that the space does not
    hold any more since it was narrowed."""
    budget: tuple[int, ...] = ()
    seconds: tuple[Number, ...] = ()
    finished: tuple[Number, ...] = ()
    """Running time of the study when the trial ended."""
    spent: tuple[Number, ...] = ()
    """Training time of all trials that had ended by then."""
    failure: tuple[str, ...] = ()
    """The kind of failure; empty where none."""
    message: tuple[int | None, ...] = ()
    """Position among `messages`."""
    tags: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()
    """All that was noted of a trial, in one text; empty where nothing was."""
    messages: tuple[str, ...] = ()
    """The beginnings of what failed trials said, each once."""
    parameters: dict[str, tuple[Number, ...]] = Field(default={})
    """Parameter to a number or a position among its values; null where inactive."""
    metrics: dict[str, tuple[Number, ...]] = Field(default={})
    """Metric to its value at the trial's last evaluation."""
    rungs: dict[int, tuple[Number, ...]] = Field(default={})
    """Budget to the first objective's value there."""


class BestSoFar(Schema):
    """Each improvement over all completed trials that keep the constraints, as columns."""

    number: tuple[int, ...] = ()
    finished: tuple[Number, ...] = ()
    spent: tuple[Number, ...] = ()
    value: tuple[FiniteFloat, ...] = ()


class RungRow(Schema):
    """How well the order at one rung foretold the order at the last."""

    budget: int
    n_trials: int
    """That have both values."""
    correlation: Number
    """Spearman's."""
    winner_rank: int | None
    """Of the best trial among them at this rung, from 1."""
