"""What made a history, as a document: runs, data, code, the schedule; gathered in `lineage_block`."""

from pydantic import Field, FiniteFloat

from pegbox.page.trial_document import Number
from pegbox.schemas.base import Schema


class RunRow(Schema):
    """One run that drove the study."""

    run: str
    status: str
    started_at: Number
    ended_at: Number
    host: str
    data: str = ""
    commit: str = ""
    versions: dict[str, str] = Field(default={})
    changes: tuple[str, ...] = ()
    """Against the run before."""
    message: str = ""


class ScheduleRow(Schema):
    """What a scheduled study concluded at one of its steps."""

    at: FiniteFloat
    step: str
    reason: str
    data: str = ""
    study: str = ""
    """That the incumbent comes from after the step."""


class DataRow(Schema):
    """One state of the data that runs read, and what changed since the one before."""

    at: FiniteFloat
    """When an answer first came of it."""
    data: str
    n_rows: int | None
    """Null where the prepared data is gone."""
    target: str
    changes: tuple[str, ...]


class Verdict(Schema):
    """The answer of one run, for drift from run to run and from data to data."""

    study: str
    run: str
    at: FiniteFloat
    trial: int
    value: FiniteFloat
    low: Number = None
    high: Number = None
    data: str = ""


class Lineage(Schema):
    """What made this history."""

    runs: tuple[RunRow, ...] = ()
    spec: str
    """The study as YAML."""
    verdicts: tuple[Verdict, ...] = ()
    """Of this study and of those that were scheduled with it, oldest first."""
    states: tuple[DataRow, ...] = ()
    """Of the data of the verdicts, oldest first; empty where all read the same."""
    steps: tuple[ScheduleRow, ...] = ()
    """Of the schedule that this study belongs to, latest first."""
