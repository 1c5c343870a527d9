"""What to run and how sure that is, as a document; gathered in `answer_block`. Times and values as in `document`."""

from typing import Literal

from pydantic import Field, FiniteFloat

from pegbox.page.trial_document import Number, Recipe
from pegbox.schemas.base import Schema


class Answer(Schema):
    """What to run."""

    kind: Literal["selected", "incumbent"]
    """Chosen among finalists on fresh seeds, or only the best that the search saw (and therefore optimistic)."""
    trial: int
    value: FiniteFloat
    low: Number = None
    high: Number = None
    text: str
    """The value with its uncertainty, rounded."""
    further: dict[str, str] = Field(default={})
    """With several objectives: the others, each with its value and uncertainty, rounded."""
    seeds: str = ""
    """On how many fresh seeds it was measured, and how many failed; empty where nobody was selected."""
    search_value: Number = None
    reason: str
    configuration: dict[str, str]
    """Parameter to value, rounded for reading."""
    recipe: Recipe
    """With exact values."""
    test_metrics: dict[str, FiniteFloat] = Field(default={})
    checkpoint: str | None = None
    baseline: str | None = None
    """One sentence against the configuration to beat."""


class FinalistRow(Schema):
    """One finalist on fresh seeds."""

    trial: int
    values: tuple[FiniteFloat, ...]
    n_failed: int = 0
    """Fresh seeds that failed."""
    estimate: FiniteFloat
    low: Number
    high: Number
    search_value: FiniteFloat
    probability_best: Number
    role: Literal["winner", "tie", "behind"]


class FrontRow(Schema):
    """A finalist that no other beats in all objectives; one entry for each objective, in their order."""

    trial: int
    estimates: tuple[FiniteFloat, ...]
    low: tuple[Number, ...]
    high: tuple[Number, ...]
    probability: Number
    """That no other finalist beats it in all objectives at once."""
    is_knee: bool


class Sureness(Schema):
    """How sure the answer is."""

    sentence: str
    chance_of: str = "P(best)"
    """What `FinalistRow.probability_best` is the probability of, in a few words."""
    level: float = 0.95
    finalists: tuple[FinalistRow, ...] = ()
    front: tuple[FrontRow, ...] = ()
    """With several objectives, on fresh seeds."""
