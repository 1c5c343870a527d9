"""What happened while a study ran, as a document: curves, workers, failures; gathered in `activity_block`."""

from pydantic import FiniteFloat

from pegbox.page.trial_document import Number
from pegbox.schemas.base import Schema


class Curve(Schema):
    """One trial's learning curve."""

    trial: int
    steps: tuple[int, ...]
    values: tuple[Number, ...]


class BandRow(Schema):
    """Where the middle eight of ten trials were at one step."""

    step: int
    n_trials: int
    low: FiniteFloat
    middle: FiniteFloat
    high: FiniteFloat


class Curves(Schema):
    """Learning curves of some trials and where trials were compared."""

    metric: str
    band: tuple[BandRow, ...] = ()
    """Of all trials of the search."""
    rungs: tuple[int, ...] = ()
    n_total: int = 0
    """Trials that have a curve."""
    note: str = ""
    drawn: tuple[Curve, ...] = ()


class Bar(Schema):
    """One segment on a worker."""

    worker: int
    trial: int
    start: FiniteFloat
    end: FiniteFloat
    state: str


class Timeline(Schema):
    """What the workers did."""

    workers: tuple[str, ...] = ()
    bars: tuple[Bar, ...] = ()
    idle_share: Number = None
    """Between the first and the last segment of each run, over all segments."""
    note: str = ""


class FailureGroup(Schema):
    """Failures of one kind with one message."""

    kind: str
    message: str
    n_trials: int
    trials: tuple[int, ...]
    """The first few."""
    traceback: str = ""
