"""One trial's page as a document; gathered in `trial_block`, drawn by `frontend/src/trial`. Times as in `document`."""

from pydantic import Field, FiniteFloat

from pegbox.schemas.base import Configuration, Schema

# Finite, because JSON knows neither NaN nor infinity: a browser would refuse the whole document for one diverged loss.
Number = FiniteFloat | None


class Recipe(Schema):
    """The chosen configuration, ready to be pasted."""

    yaml: str
    cli: str
    python: str
    json_text: str


class AttemptRow(Schema):
    """One try."""

    attempt: int
    replicate: int | None
    """The fresh seed that it trained; None in the search."""
    state: str
    worker: str
    seconds: Number
    started_at: Number
    failure_kind: str
    message: str
    traceback: str
    """With what a program wrote last, where one was run."""


class StretchRow(Schema):
    """One segment of training."""

    attempt: int
    fold: int
    replicate: int | None
    from_budget: int
    to_budget: int
    reached: int | None
    """None while it runs, and where it failed."""
    seed: int | None
    seconds: Number
    started_at: Number
    device: str
    peak_memory_bytes: int | None
    worker: str
    notes: tuple[str, ...]
    """Found in the cache, trained anew from the beginning, stopped early."""
    checkpoint: str
    """Where in the store, as far as it is kept; empty where there is none."""


class MeasuredRow(Schema):
    """What was measured at a budget."""

    budget: int
    fold: int | None
    """None for the mean over all folds."""
    replicate: int | None
    metrics: dict[str, FiniteFloat]
    seconds: Number


class TrialCurve(Schema):
    """One metric of one fold and seed by epoch."""

    metric: str
    fold: int
    replicate: int | None
    steps: tuple[int, ...]
    values: tuple[FiniteFloat, ...]


class DecisionRow(Schema):
    """What the strategy decided about the trial."""

    number: int
    kind: str
    to_budget: int | None
    at: FiniteFloat


class AlikeRow(Schema):
    """Another trial with the same configuration."""

    study: str
    number: int
    state: str
    value: Number


class FileRow(Schema):
    """A file of the trial."""

    kind: str
    path: str
    n_bytes: int | None


class TrialLife(Schema):
    """All that is known of one trial."""

    number: int
    state: str
    """As the table of trials says it."""
    excluded: str
    """Why it does not compete, in words; empty where it does."""
    place: int | None
    """Among the trials that compete, from 1, as the search saw them."""
    value: Number
    metrics: dict[str, FiniteFloat]
    budget: int
    seconds: Number
    created_at: Number
    ended_at: Number
    seed: int | None
    configuration: dict[str, str]
    """Rounded for reading."""
    exact: Configuration
    recipe: Recipe
    attempts: tuple[AttemptRow, ...]
    stretches: tuple[StretchRow, ...]
    measured: tuple[MeasuredRow, ...]
    curves: tuple[TrialCurve, ...]
    curves_note: str = ""
    """Says what is left out."""
    decisions: tuple[DecisionRow, ...]
    alike: tuple[AlikeRow, ...]
    learns_from: tuple[str, ...]
    """Earlier studies that the search of this one learnt from (warm start)."""
    files: tuple[FileRow, ...] = Field(default=())
