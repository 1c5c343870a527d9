"""How the rows of a source became arrays, so that further rows become such arrays; fitted and applied in `datasets`."""

from typing import Literal

from pydantic import Field, FiniteFloat

from pegbox.schemas.base import Schema
from pegbox.schemas.data import ImageMode, Task, TextMethod

FeatureKind = Literal["number", "yes or no", "date", "time of day", "duration", "category"]
ClassType = Literal["text", "whole number", "number", "yes or no"]


class Feature(Schema):
    """One column to predict from."""

    name: str
    kind: FeatureKind
    """What its values are once its texts were read."""
    yes: tuple[str, ...] = ()
    """The words for yes, in small letters, where the source wrote words."""
    levels: tuple[str, ...] = ()
    """Of a category, in the order of their codes, which begin with 1."""
    unlearned: tuple[int, ...] = ()
    """Codes of the levels that the training rows do not hold; they count as missing."""


class TextFeature(Schema):
    """A column of free text."""

    name: str
    method: TextMethod
    width: int
    """Numbers that it becomes, at the end of each row."""
    words: tuple[str, ...] = ()
    """Of `tfidf`, in the order of their numbers; fewer than the width where training held no more."""
    weights: tuple[FiniteFloat, ...] = ()
    """The inverse document frequency of each word."""


class ExampleArrays(Schema):
    """Examples that are one array each: a picture, or a sequence."""

    column: str
    """That holds them, or names their files."""
    channel_axis: int | None = None
    """The dimension of one example whose entries have a mean and a deviation each; None where all numbers share one."""
    mode: ImageMode | None = None
    """Of pictures that are read from files; None where the source holds arrays."""


class Preprocessing(Schema):
    """Everything that stands between a row of the source and what a model of one fold was trained on."""

    target: str
    """The column that is predicted."""
    task: Task
    classes: tuple[str, ...] = ()
    """In the order of their codes, which begin with 0; empty for regression."""
    class_type: ClassType = "text"
    """What the classes are in the source."""
    columns: tuple[str, ...]
    """The columns to predict from, in the order in which the source has them."""
    ignored: tuple[str, ...] = ()
    """Other columns of the source: further rows may have them, and they say nothing."""
    numeric: tuple[Feature, ...]
    """Columns that become numbers, in the order of the arrays."""
    categorical: tuple[Feature, ...] = ()
    """Columns that become codes, in the order of the arrays."""
    missing: tuple[str | int | float, ...] = ()
    """Further values that stand for a missing one."""
    decimal: Literal[".", ","] | None = None
    day_first: bool | None = None
    fills: tuple[FiniteFloat, ...]
    """What stands where a number is missing, shape (n_numeric,)."""
    gaps: tuple[int, ...] = ()
    """Places of the columns of numbers that have an indicator at the end, which says that a value is missing."""
    means: tuple[FiniteFloat, ...]
    """Shape (n_numeric + n_gaps,), or of each channel of examples that are arrays."""
    deviations: tuple[FiniteFloat | None, ...]
    """Shape of the means; None where a column is constant, and is written as zeros."""
    shape: tuple[int, ...] | None = Field(default=None)
    """Of one example where the columns of numbers are an image or a sequence."""
    texts: tuple[TextFeature, ...] = ()
    """Columns of free text; their numbers stand behind all others."""
    example: ExampleArrays | None = None
    """Where examples are one array each; there are no columns of numbers then."""

    @property
    def features(self) -> tuple[Feature, ...]:
        """All of them, in the order of the source."""
        if self.example is not None:
            return ()
        by_name = {feature.name: feature for feature in (*self.numeric, *self.categorical)}
        return tuple(by_name[name] for name in self.columns if name in by_name)  # free text is neither
