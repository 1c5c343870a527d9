"""What was understood of a study's data, told before anything is trained; made in `datasets`."""

from typing import Literal

from pydantic import Field

from pegbox.schemas.base import Metrics, Schema
from pegbox.schemas.data import Task


class ColumnKind(Schema):
    """What one column is taken for."""

    name: str
    kind: Literal["number", "yes or no", "date", "category", "text", "array", "left out"]
    told: str = ""
    """Whatever is not plain about it: how its texts were read, or why it is left out."""
    n_missing: int = 0
    """Rows in which it has no value."""
    n_levels: int = 0
    """Of a category."""
    levels: tuple[str, ...] = ()
    """The first few of them."""


class TargetRange(Schema):
    """Where the values of a numeric target lie, in its own units."""

    min: float
    max: float
    mean: float
    std: float


class Baseline(Schema):
    """What a model that needs no tuning reaches on the validation rows."""

    name: str
    """`always 'no'`, `mean` or `linear`."""
    metrics: Metrics


class Leak(Schema):
    """A column that all but gives the target away by itself."""

    column: str
    score: float
    """Share of the rows whose class it tells, or of the target's variance that it explains; 1 for all."""
    baseline: float
    """The same without any column."""


class DataUnderstanding(Schema):
    """What the data of a study was taken for."""

    n_rows: dict[str, int]
    """Rows of each part of the first fold."""
    n_folds: int
    n_dropped: int
    """Rows left out because their target is missing."""
    target: str
    task: Task
    target_told: str = ""
    """How its texts were read."""
    class_shares: dict[str, float] = Field(default={})
    """Share of the rows of each class, the most frequent first."""
    target_range: TargetRange | None = None
    """Of a numeric target."""
    columns: tuple[ColumnKind, ...]
    """In the order of the source, without the target."""
    warnings: tuple[str, ...] = ()
    """What is worth a look before a night is spent on it, each a sentence with its remedy."""
    leaks: tuple[Leak, ...] = ()
    baselines: tuple[Baseline, ...] = ()
