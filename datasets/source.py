"""What a source of data is and what loading one gives; the kinds of source are modules of their own."""

from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from pegbox.datasets.text_numbers import Mark
from pegbox.schemas.data import ImageMode, Task


@dataclass(frozen=True, slots=True)
class Loaded:
    """The rows of a source, untyped yet.

    Attributes:
        table: Every column, the target among them.
        target: The column to predict where the study names none.
        task: What the target is for, where the source knows it.
        mark: What stands before decimals in the source; None where it shows none.
        shape: Shape of one example where the columns, the target left out, are an image or a sequence.
        mode: Of pictures that were read from files, which stand in a column of tensors.
        told: For columns that were made of something else, in a few words of what.
        warnings: Whatever is worth a look, a sentence each.
    """

    table: pa.Table
    target: str | None = None
    task: Task | None = None
    shape: tuple[int, ...] | None = None
    mark: Mark | None = None
    mode: ImageMode | None = None
    told: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


class Source(Protocol):
    """Somewhere that rows come from."""

    @property
    def target(self) -> str | None:
        """The column to predict where the study names none; None where only the study can say."""
        ...

    def digest(self) -> str | None:
        """A hash of the content; None where only the loaded rows can tell whether they changed."""
        ...

    def columns(self) -> tuple[str, ...] | None:
        """Names of the columns, found without reading the rows; None where that cannot be done."""
        ...

    def load(self) -> Loaded:
        """Read all rows."""
        ...
