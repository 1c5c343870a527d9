"""What the analysis says of a study, as a document; gathered in `analysis_blocks`. Values as in `document`."""

from typing import Literal

from pydantic import FiniteFloat

from pegbox.page.answer_document import Sureness
from pegbox.page.trial_document import Number
from pegbox.schemas.base import Schema

TRAINING_TIME = "training time"
"""Stands among metrics for the seconds of training."""


class KnobRow(Schema):
    """How much of the spread one parameter explains, as a share between 0 and 1."""

    name: str
    share: float
    low: float
    high: float
    verdict: Literal["matters", "unclear", "can be fixed"]


class Knobs(Schema):
    """Which parameters matter."""

    sentence: str
    rows: tuple[KnobRow, ...] = ()


class AdviceRow(Schema):
    """One next step with its ground and, where there is one, its command."""

    text: str
    evidence: str = ""
    command: str = ""


class Effect(Schema):
    """How a measured quantity depends on one parameter, averaged over the others."""

    parameter: str
    at: tuple[FiniteFloat, ...]
    """Numbers, or positions among the values."""
    mean: tuple[Number, ...]
    low: tuple[Number, ...]
    high: tuple[Number, ...]
    """Null where there is no data."""
    trend: str
    """One sentence."""


class Effects(Schema):
    """How one quantity depends on each parameter."""

    metric: str
    """Or `TRAINING_TIME`."""
    budget: int | None = None
    """At which trials were compared, where too few reached the full one; null for that."""
    rows: tuple[Effect, ...]
    """Most important for the first objective first."""


class Interaction(Schema):
    """What is predicted over two parameters; null where there is no data."""

    x: str
    y: str
    x_at: tuple[FiniteFloat, ...]
    y_at: tuple[FiniteFloat, ...]
    rows: tuple[tuple[Number, ...], ...]
    """One row for each of `y_at`."""
    share: Number = None
    """Of the spread that the pair explains beyond each alone."""


class Analysis(Schema):
    """What takes longer to compute than to read; may be older than the rest of a live page."""

    state: Literal["computing", "older", "ready", "failed"]
    """Nothing is known yet; known from an earlier version of the history, while a newer one is computed; known from the
    history as it is; or it could not be computed. Only what is ready may say that there is nothing to say."""
    note: str = ""
    """About the state and about the trials that it was computed from, in sentences."""
    version: int
    """Of the history that it was computed from; 0 while nothing is known."""
    sureness: Sureness
    knobs: Knobs
    advice: tuple[AdviceRow, ...] = ()
    effects: tuple[Effects, ...] = ()
    """On each objective, then on the training time."""
    interactions: tuple[Interaction, ...] = ()
