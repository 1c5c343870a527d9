"""What a study says about its data, and what preparing it leaves behind; loading lives in `datasets`."""

import codecs
import math
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from pegbox.schemas.base import Declared, Schema

Task = Literal["classification", "regression"]
ImageMode = Literal["grey", "rgb"]

DECODED = "decoded"
"""Below the directory of prepared data: pictures as arrays, by the content of their files."""


class SplitSpec(Declared):
    """How rows are divided into training, validation and test parts."""

    test: float = Field(default=0.2, ge=0, lt=1)
    """Share of the rows held out until a winner is chosen; 0 for none."""
    valid: float = Field(default=0.2, gt=0, lt=1)
    """Share of the rows that trials are compared on; not used with folds."""
    folds: int | None = Field(default=None, ge=2)
    """Train every trial on k folds of the rows that are not held out, and compare the mean."""
    stratify: bool = False
    """Keep the share of each class (or quantile of a numeric target) equal in every part."""
    group: str | None = None
    """A column whose equal values stay together in one part."""
    time: str | None = None
    """A column to sort by: the latest rows are the test part, those before them the validation part.
    Folds train on all rows before their validation rows."""
    keep_time: bool = False
    """Predict from that column too: a level that drifts, or a season, is told by it. Every validation and test row is
    later than what was learned from, as new rows are, so that a model which cannot go on from there shows it."""
    seed: int = 0
    """Of the shuffle; equal seeds give equal parts."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.test + self.valid >= 1 and self.folds is None:
            raise ValueError(f"test and valid must leave rows to train on, got test={self.test}, valid={self.valid}.")
        if self.keep_time and not self.time:
            raise ValueError("keep_time needs a column of `time` to keep. Name it, or leave keep_time out.")
        chosen = [name for name, on in (("group", self.group), ("time", self.time)) if on]
        if len(chosen) == 2 or (self.time and self.stratify):
            raise ValueError("group, time and stratify with time exclude each other. Choose one way to split.")
        return self


Side = Annotated[int, Field(ge=1, le=4096)]
"""Pixels."""


class ImageSpec(Declared):
    """How pictures become arrays of one shape; colours and sizes are told before anything is trained."""

    column: str | None = None
    """The column of a table that names the files, or holds their bytes. A folder needs none."""
    folder: str | None = None
    """Where the paths of the column begin; the folder of the table's file where it is left out."""
    size: Side | tuple[Side, Side] | None = None
    """Height and width that every picture is stretched to, or one number for both. Where it is left out: that of all
    pictures where it is one and at most 32 × 32, else 32 × 32."""
    mode: ImageMode | None = None
    """One channel or three. Where it is left out: `rgb` where any picture has colours, else `grey`."""

    @property
    def height_and_width(self) -> tuple[int, int] | None:
        """What is asked for; None where nothing is."""
        return (self.size, self.size) if isinstance(self.size, int) else self.size


TextMethod = Literal["tfidf", "hashing"]


class TextSpec(Declared):
    """Columns of free text, each of which becomes a bounded number of numbers."""

    columns: tuple[str, ...] = Field(min_length=1)
    """That hold free text, in any language that puts blanks between its words."""
    method: TextMethod = "tfidf"
    """`tfidf` gives each of the most frequent words of the training rows a number, `hashing` shares the numbers among
    all words, those that training never saw included."""
    width: int = Field(default=256, ge=2, le=4096)
    """Numbers of one column."""


class DataSpec(Declared):
    """Where the data comes from and how it is divided."""

    source: str = Field(
        min_length=1,
        examples=[
            "sklearn:digits",
            "data/train.csv",
            "SELECT * FROM 'data/*.parquet'",
            "my_project.data:load",
            "images/",
            "windows.npz",
        ],
    )
    """`sklearn:<name>`, a .csv or .parquet path (relative to the working directory), a DuckDB SQL query over such
    files, a folder of pictures with a folder for each class, a .npy or .npz file, or `module:function`."""
    target: str | None = Field(default=None, examples=["target"])
    """The column to predict; rows where it is missing are left out."""
    features: tuple[str, ...] | None = None
    """The columns to predict from; where it is left out, all but the target, `drop`, and those that rows are split
    by."""
    drop: tuple[str, ...] = ()
    """Columns that are not used, such as an identifier."""
    categorical: tuple[str, ...] = ()
    """Columns that hold categories though they look like numbers or free text."""
    missing: tuple[str | int | float, ...] = Field(default=(), examples=[["unknown", -999]])
    """Further values that stand for a missing one, in any column; empty cells, `NA`, `null`, `nan`, `?` and their like
    always do in a CSV file."""
    decimal: Literal[".", ","] | None = None
    """What stands before decimals in numbers that are written as texts. Found where one reading fits all; needed only
    where `1,205` could be twelve hundred or a little more than one."""
    day_first: bool | None = None
    """Whether dates such as 03/04/2025 begin with the day; needed only where no date of the source tells."""
    encoding: str | None = Field(default=None, examples=["latin-1", "cp1252"])
    """Of a CSV file that is not written in UTF-8, or in UTF-16 with its mark: any name that Python knows."""
    images: ImageSpec | None = None
    """Pictures: of a folder, or in files that a column of a table names."""
    text: TextSpec | None = None
    """Columns of free text, such as reviews; they become numbers by the words that they hold."""
    split: SplitSpec = SplitSpec()
    """Which rows are for training, for comparing trials, and for the one test at the end."""

    @property
    def texts(self) -> tuple[str, ...]:
        """Columns of free text."""
        return self.text.columns if self.text else ()

    @property
    def shaping(self) -> dict[str, Any]:
        """Everything that shapes the arrays beside the content of the source, as JSON knows it.

        What came to pegbox later is there only where it is asked for: data of earlier stores keeps its name.
        """
        later = {name for name in ("images", "text") if not getattr(self, name)}
        return self.model_dump(mode="json", exclude={"source", *later})

    @field_validator("encoding")
    @classmethod
    def _known(cls, encoding: str | None) -> str | None:
        try:
            # Python also lists codecs from bytes to bytes, such as base64, under the same look-up.
            is_text = encoding is None or getattr(codecs.lookup(encoding), "_is_text_encoding", True)
        except LookupError:
            is_text = False
        if not is_text:
            raise ValueError(f"no encoding {encoding!r} is known. Write one such as utf-8, latin-1, cp1252 or utf-16.")
        return encoding


class PreparedData(Schema):
    """Data written once under its content fingerprint; workers memory-map it.

    The directory holds `fold-0`, `fold-1`, ... (a single split is `fold-0`), each with `<part>-<array>.npy` for the
    parts train, valid and test (test only where rows are held out) and the arrays numeric (n, n_numeric) float32,
    categorical (n, n_categorical) int64 codes, and target (n,) int64 class codes or float64.
    """

    path: Path
    fingerprint: str
    """Of the source's content and of everything in the specification that shapes the arrays."""
    task: Task
    n_folds: int
    n_rows: dict[str, int]
    """Rows of each part of fold 0."""
    n_dropped: int = 0
    """Rows of the source left out because their target is missing."""
    numeric: tuple[str, ...]
    """Names of the numeric columns, in order; `<name> is missing` marks where a value was filled in."""
    categorical: tuple[str, ...] = ()
    """Names of the categorical columns, in order."""
    cardinalities: tuple[int, ...] = ()
    """Number of codes of each categorical column; code 0 means missing or never seen in training."""
    classes: tuple[str, ...] = ()
    """Names of the classes, in the order of their codes; empty for regression."""
    target_mean: float = 0.0
    target_std: float = 1.0
    """Location and scale of a regression target in the training part of fold 0; targets are kept in their own units."""
    shape: tuple[int, ...] | None = None
    """Shape of one example where the numeric columns are an image or a sequence; of pictures and arrays of a file the
    numbers have no names of their own."""

    @property
    def n_numeric(self) -> int:
        """Numbers of one row."""
        return len(self.numeric) if self.shape is None else math.prod(self.shape)

    @property
    def has_test(self) -> bool:
        """True if rows were held out."""
        return self.n_rows.get("test", 0) > 0
