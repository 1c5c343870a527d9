"""Some studies beside each other, as a document; gathered in `comparison_block`. Times and values as in `document`."""

from pydantic import Field

from pegbox.page.analysis_document import Knobs
from pegbox.page.answer_document import Answer
from pegbox.page.trial_document import Number
from pegbox.page.trials_document import BestSoFar, Goal
from pegbox.schemas.base import Schema


class StudyDifference(Schema):
    """The answer of a study against that of the first."""

    sentence: str
    """Which is better and how sure that is, or why that cannot be said."""
    low: Number = None
    high: Number = None
    """By how much the first is better, as an interval in units of the metric; null where fresh seeds are missing."""
    gain: str = ""
    """The same in words."""
    probability_first: Number = None
    """That the first is better."""
    level: Number = None
    """Of the interval."""
    note: str = ""
    """What the studies differ in beside their answers' configurations."""


class ComparedStudy(Schema):
    """One of the studies."""

    study: str
    state: str
    goals: tuple[Goal, ...]
    n_trials: int
    n_failed: int
    training_seconds: float
    elapsed_seconds: float
    data: str = ""
    """Fingerprint of what its last run read."""
    answer: Answer | None
    best: BestSoFar
    knobs: Knobs
    settings: dict[str, str] = Field(default={})
    """The entries of its study file by their path, without the name."""
    difference: StudyDifference | None = None
    """None for the first."""


class StudiesCompared(Schema):
    """The studies in the order in which they were asked for; differences are from the first."""

    studies: tuple[ComparedStudy, ...]
