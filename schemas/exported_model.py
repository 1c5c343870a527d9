"""A model in the format of another library, and what has to be known to use it there; written by `models`."""

from typing import Literal

from pydantic import Field

from pegbox.schemas.base import Schema
from pegbox.schemas.data import Task

ExportFormat = Literal["onnx", "torch", "sklearn"]


class ExportedInput(Schema):
    """One thing that the file takes; rows stand in the first dimension, and there may be any number of them."""

    name: str
    """Of the input; `rows` where the file takes one table."""
    type: Literal["float32", "float64", "int64", "string", "data frame"]
    columns: tuple[str, ...]
    """Of the source, in the order of the second dimension; of pictures and sequences the one that holds them."""
    shape: tuple[int, ...] = ()
    """Of one row, where the input is an array of numbers."""


class ExportedOutput(Schema):
    """One thing that the file gives."""

    name: str
    type: str
    told: str
    """What it is, in a sentence."""


class ExportCheck(Schema):
    """The file beside the model that it was made of, on the same rows."""

    rows: str
    """Which rows."""
    n_rows: int
    largest_difference: float
    """Of a probability, or of a number in units of the target."""
    n_other_answers: int
    """Rows that get another class, or a number that differs by more than the tolerance."""


class ExportedModel(Schema):
    """What stands beside an exported file."""

    format: ExportFormat
    file: str
    study: str
    content: str
    """SHA-256 of the model's file that it was made of."""
    target: str
    task: Task
    classes: tuple[str, ...] = ()
    """In the order of the columns of probabilities."""
    inputs: tuple[ExportedInput, ...]
    outputs: tuple[ExportedOutput, ...]
    columns: dict[str, str]
    """What each column holds, and how it is written."""
    levels: dict[str, tuple[str, ...]] = Field(default={})
    """Of columns of categories: code 1 is the first. Code 0, a missing value, is any other."""
    usage: str
    """Python that loads the file and asks it."""
    versions: dict[str, str]
    """Of the libraries that wrote it."""
    check: ExportCheck
