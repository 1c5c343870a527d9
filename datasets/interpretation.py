"""What the texts of a table are: numbers in some spelling, dates in some order, or words; told, or refused by name."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from pegbox.datasets.text_dates import DateReading, order_in_use, read_dates
from pegbox.datasets.text_numbers import Mark, Reading, Unread, marks_in_use, read_numbers
from pegbox.schemas.data import DataSpec
from pegbox.schemas.errors import Problem

_Found = TypeVar("_Found")
# In English alone, picked by hand: a pair in another language stays a category of two levels, which a model reads as
# well.
_TRUTHS = (("yes", "no"), ("true", "false"), ("y", "n"), ("t", "f"), ("on", "off"))
_YES = ("yes", "true", "1")
_NO = ("no", "false", "0")


@dataclass(frozen=True, slots=True)
class TextHabits:
    """How a source writes what is no text; further rows of it are read in the same way.

    Attributes:
        mark: What stands before decimals; None where nothing shows it.
        day_first: Whether dates begin with the day; None where nothing shows it.
        yes: For each column of words for yes and no, the words for yes in small letters.
    """

    mark: Mark | None
    day_first: bool | None
    yes: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Interpretation:
    """A table whose texts became what they are.

    Attributes:
        table: With numbers and times where the texts are such; what could not be read stays as it was.
        told: For each column that was read in a way of its own, in a few words how.
        problems: Of each column that can be read in no way, or in two.
        unread: Names of those columns.
        habits: How the texts were read.
        strays: Of columns that are numbers or dates but for a few texts, these.
    """

    table: pa.Table
    told: dict[str, str]
    problems: tuple[Problem, ...]
    unread: tuple[str, ...]
    habits: TextHabits
    strays: dict[str, tuple[str, ...]]


def interpret(spec: DataSpec, table: pa.Table, target: str, others: Iterable[str], mark: Mark | None) -> Interpretation:
    """Read the texts of the named columns.

    A column of categories by its type (a dictionary) or by `data.categorical` is left alone.

    Args:
        target: Keeps its words as the names of its classes, where it has any.
        others: The features, and the time that rows are sorted by.
        mark: What stands before decimals in the source; None where it shows none.
    """
    table, names = _without(table, spec), list(dict.fromkeys((target, *others)))
    texts = [name for name in names if _is_text(table[name].type) and name not in spec.categorical]
    # Distinct texts alone are parsed: a column of ten million rows has a few thousand, and Python reads each once.
    words = {name: distinct_words(table[name]) for name in texts}
    # One mark for the whole table: who writes 1,5 in one column does not write 1.5 in the next, so that a column that
    # shows it beyond doubt decides for those that could be read in two ways.
    mark = spec.decimal or mark or _only(marks_in_use(table[name] for name in texts))
    orders = {order for name in texts if (order := order_in_use(words[name])) is not None}
    day_first = spec.day_first if spec.day_first is not None else _only(orders)
    told = {name: "decimal comma" for name in names if mark == "," and types.is_floating(table[name].type)}
    problems: dict[str, Problem] = {}
    truths: dict[str, tuple[str, ...]] = {}
    strays: dict[str, tuple[str, ...]] = {}
    for name in texts:
        if name != target and (yes := _yes(words[name])):
            table, truths[name] = _with(table, name, are_yes(table[name], yes)), tuple(yes)
            if len(yes) > 1:
                told[name] = " and ".join(word for word in words[name] if word.strip().lower() in yes) + " as yes"
            continue
        read = read_dates(words[name], day_first=day_first) or read_numbers(words[name], mark)
        if isinstance(read, Unread):
            problems[name] = _problem(name, read)
            strays |= {name: read.strays} if read.strays else {}
        elif read is not None and words[name]:
            table = _with(table, name, read_column(table[name], words[name], read))
            told[name] = ", ".join(("written as text", *read.told))
    return Interpretation(
        table, told, tuple(problems.values()), tuple(problems), TextHabits(mark, day_first, truths), strays
    )


def _yes(words: list[str]) -> list[str] | None:
    """The words for yes where a column holds nothing but them and those for no, in any case of letters."""
    found = {word.strip().lower() for word in words}
    pair = next((yes for yes, no in _TRUTHS if found == {yes, no}), None)
    if pair:
        return [pair]
    # 0 and 1 alone are numbers; beside a word for yes or no they are one of several spellings.
    is_told = found & {*_YES, *_NO} - {"0", "1"}
    return list(_YES) if found <= {*_YES, *_NO} and found & set(_YES) and found & set(_NO) and is_told else None


def are_yes(column: pa.ChunkedArray, yes: Iterable[str]) -> pa.ChunkedArray:
    """Whether each text of a column is one of the words for yes, in any case of letters; missing where it is."""
    words = lower_words(column)
    return pc.if_else(pc.is_valid(words), pc.is_in(words, pa.array(yes, column.type)), pa.scalar(None, pa.bool_()))


def lower_words(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts in small letters, without the blanks around them."""
    return pc.utf8_lower(pc.utf8_trim_whitespace(column))


def _with(table: pa.Table, name: str, column: pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, column)


def _problem(name: str, read: Unread) -> Problem:
    return Problem(
        f"the column {name!r} {read.why}. {read.remedy}, or add {name!r} to data.categorical or data.drop.",
        ("data", "source"),
    )


def read_column(column: pa.ChunkedArray, words: list[str], read: Reading | DateReading) -> pa.ChunkedArray:
    """Each row's value, by the place of its text among the distinct ones."""
    places = pc.index_in(column, pa.array(words, column.type))
    column_type = pa.timestamp("us") if isinstance(read, DateReading) else pa.float64()
    values = pa.array(read.values, column_type, from_pandas=True)
    return pa.chunked_array([values.take(places.combine_chunks())])


def _without(table: pa.Table, spec: DataSpec) -> pa.Table:
    """The table with nothing where it holds one of the values that stand for that."""
    if not spec.missing:
        return table
    columns = [cleared(column, spec.missing) for column in table.columns]
    return pa.table(columns, names=table.column_names)


def cleared(column: pa.ChunkedArray, missing: tuple[str | int | float, ...]) -> pa.ChunkedArray:
    """The column with nothing where it holds one of the values that stand for that."""
    if _is_text(column.type):
        is_missing = pc.is_in(column, pa.array(map(str, missing), column.type))
    elif types.is_integer(column.type) or types.is_floating(column.type):
        is_missing = pc.is_in(column.cast(pa.float64(), safe=False), pa.array(_numbers(missing), pa.float64()))
    else:
        return column
    return pc.if_else(is_missing, pa.scalar(None, column.type), column)


def _numbers(values: Iterable[str | int | float]) -> list[float]:
    found = []
    for value in values:
        try:
            found.append(float(value))
        except ValueError:
            continue
    return [value for value in found if np.isfinite(value)]


def distinct_words(column: pa.ChunkedArray) -> list[str]:
    """The texts of a column, each once."""
    return [str(word) for word in pc.unique(column.drop_null()).to_pylist()]


def _is_text(column_type: pa.DataType) -> bool:
    tests: tuple[Callable[[pa.DataType], bool], ...] = (types.is_string, types.is_large_string, types.is_string_view)
    return any(is_text(column_type) for is_text in tests)


def _only(found: set[_Found]) -> _Found | None:
    return next(iter(found)) if len(found) == 1 else None
