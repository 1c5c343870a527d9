"""Rows whose columns have their types: numbers, codes and a target; nothing is filled in or scaled yet."""

import hashlib
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pegbox.datasets.categories import category_problem
from pegbox.datasets.column_types import (
    Codes,
    Floats,
    Kind,
    as_codes,
    as_numbers,
    column_problems,
    falls_together,
    feature_names,
    kind_of,
    target_name,
)
from pegbox.datasets.free_text import Texts, as_texts
from pegbox.datasets.interpretation import Interpretation, TextHabits, interpret
from pegbox.datasets.source import Loaded
from pegbox.datasets.target import Rows, Target, finite_problems, read_target
from pegbox.datasets.tensor_columns import channel_axis, is_tensor, tensor_shape, tensor_values
from pegbox.schemas.data import DataSpec, Task
from pegbox.schemas.errors import DataError, Problem
from pegbox.schemas.preprocessing import ExampleArrays
from pegbox.schemas.understanding import ColumnKind


@dataclass(frozen=True, slots=True)
class Frame:
    """The rows that have a target.

    Attributes:
        target: What is predicted, and which rows of the source are here.
        numeric_names: Of the columns of numbers, booleans (0 and 1) and dates (days).
        numeric: Shape (n_rows, n_numeric), NaN where a value is missing; of examples that are arrays in the type of
            the source.
        categorical_names: Of the columns of categories.
        codes: Shape (n_rows, n_categorical), 0 where a value is missing.
        levels: Of each column of categories the vocabulary, in the order of its codes from 1.
        groups: Codes of the column that keeps rows together, shape (n_rows,).
        times: Of the column that rows are sorted by, shape (n_rows,), in days or in its own units.
        shape: Of one example where the columns of numbers are an image or a sequence.
        n_dropped: Rows left out because their target is missing.
        target_name: Of the column to predict.
        target_told: How its texts were read, where it was written in some.
        columns: What each column of the source is taken for, but the target.
        types: The type of each column once its texts were read, the target included.
        habits: How the source writes what is no text.
        example: Where examples are one array each; their numbers have no names.
        warnings: Of the source.
        texts: For each column of free text its texts, shape (n_rows,), empty where one is missing.
    """

    target: Target
    numeric_names: tuple[str, ...]
    numeric: Floats
    categorical_names: tuple[str, ...]
    codes: Codes
    levels: tuple[tuple[str, ...], ...]
    groups: Codes | None
    times: Floats | None
    shape: tuple[int, ...] | None
    n_dropped: int
    target_name: str
    target_told: str
    columns: tuple[ColumnKind, ...]
    types: dict[str, pa.DataType]
    habits: TextHabits
    example: ExampleArrays | None = None
    warnings: tuple[str, ...] = ()
    texts: dict[str, Texts] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.target.values)

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """Number of codes of each column of categories, 0 included."""
        return tuple(len(vocabulary) + 1 for vocabulary in self.levels)

    def digest(self) -> str:
        """A hash of everything that shapes the arrays, the same however the source laid it out in memory."""
        names = (self.target.task, self.target.classes, self.numeric_names, self.categorical_names, self.cardinalities)
        # Of the typed arrays, not of the source's bytes: a query or function has none, and what no model sees makes no
        # other data.
        hashed = hashlib.sha256(repr((names, self.shape, self.n_dropped)).encode())
        for array in (self.target.values, self.numeric, self.codes, self.groups, self.times):
            # A mark for what is missing, or two frames could differ in where an array stands and hash alike.
            hashed.update(b"-" if array is None else np.ascontiguousarray(array).data)
        for name, texts in self.texts.items():
            hashed.update(repr((name, texts.tolist())).encode())
        return hashed.hexdigest()


def build_frame(spec: DataSpec, task: Task | None, loaded: Loaded) -> Frame:
    """Give every column its type.

    Raises:
        DataError: Columns do not exist, or cannot be used as the study declares: all of them at once.
    """
    read, label = interpreted(spec, loaded)
    table = loaded.table
    features = used_features(spec, table, label)
    sorter = Sorter(spec, read)
    target = sorter.target(label, task or loaded.task)
    # Rows without a target go before columns are looked at: what only they hold is no category, and nobody should mend
    # it.
    sorter.keep(target.rows if target else np.arange(table.num_rows))
    texts = sorter.texts(features)
    features = tuple(name for name in features if name not in texts)
    numeric_names, numeric = sorter.numeric(features)
    categorical_names, codes, levels = sorter.categorical(features)
    groups, moments = sorter.groups(), sorter.times()
    # At the end: all that is wrong is told at once, because preparing large data again for each mistake takes the
    # afternoon.
    if sorter.problems or target is None:
        raise DataError(sorter.problems)
    return Frame(
        target=target,
        numeric_names=numeric_names,
        numeric=numeric,
        categorical_names=categorical_names,
        codes=codes,
        levels=levels,
        groups=groups,
        times=moments,
        shape=_shape(loaded, features, numeric, label),
        example=_example(loaded, features),
        n_dropped=table.num_rows - len(target.rows),
        target_name=label,
        target_told=read.told.get(label, ""),
        columns=sorter.described(table, label, loaded.told),
        types=dict(zip(read.table.column_names, read.table.schema.types, strict=True)),
        habits=read.habits,
        warnings=loaded.warnings,
        texts=texts,
    )


def used_features(spec: DataSpec, table: pa.Table, label: str) -> tuple[str, ...]:
    """The columns to predict from; where one of them holds arrays, it alone.

    Raises:
        DataError: Several do, or the study lists further features beside it.
    """
    names = feature_names(spec, tuple(table.column_names), label)
    arrays = [name for name in names if is_tensor(table[name].type)]
    if not arrays:
        return names
    others = arrays[1:] or list(spec.texts) or ([name for name in names if name not in arrays] if spec.features else [])
    if others:
        raise DataError(
            f"data.features: {arrays[0]!r} holds arrays, and a model is made of one such column alone, got "
            f"{others[0]!r} beside it. Write `features: [{arrays[0]}]`."
        )
    return (arrays[0],)


def _example(loaded: Loaded, features: tuple[str, ...]) -> ExampleArrays | None:
    if len(features) != 1 or not is_tensor(loaded.table[features[0]].type):
        return None
    held = loaded.table[features[0]].type
    axis = channel_axis(tensor_shape(held), is_bytes=held.value_type == pa.uint8())
    return ExampleArrays(column=features[0], channel_axis=axis, mode=loaded.mode)


def interpreted(spec: DataSpec, loaded: Loaded) -> tuple[Interpretation, str]:
    """The table with its texts read, and the name of the column to predict.

    Raises:
        DataError: Columns that the study names do not exist, or there is no row.
    """
    names = tuple(loaded.table.column_names)
    if problems := column_problems(spec, names, loaded.target):
        raise DataError(problems)
    if loaded.table.num_rows == 0:
        raise DataError(f"data.source: {spec.source!r} has columns and no rows. Name a source that holds rows.")
    label = target_name(spec, loaded.target)
    assert label is not None, "column_problems tells a target that is not named"
    times = [spec.split.time] if spec.split.time else []
    features = [name for name in used_features(spec, loaded.table, label) if name not in spec.texts]
    return interpret(spec, loaded.table, label, (*features, *times), loaded.mark), label


def _shape(loaded: Loaded, features: tuple[str, ...], numeric: Floats, label: str) -> tuple[int, ...] | None:
    """Of one example: of an array, or that of the source where no column of an image is left out, moved or has gaps."""
    if len(features) == 1 and is_tensor(loaded.table[features[0]].type):
        return tensor_shape(loaded.table[features[0]].type)
    is_whole = features == tuple(name for name in loaded.table.column_names if name != label)
    is_whole = is_whole and numeric.shape[1] == len(features)  # categories are no pixels
    return loaded.shape if is_whole and not np.isnan(numeric).any() else None


class Sorter:
    """Sorts the columns of a table into roles, and gathers all that is wrong with them.

    A column that is wrong stands among the others with no value, so that one look finds all that are.
    """

    def __init__(self, spec: DataSpec, read: Interpretation) -> None:
        self._spec, self._read = spec, read
        self.table = read.table
        self._rows: Rows = np.arange(read.table.num_rows)
        self._wrong = set(read.unread)
        self.problems = list(read.problems)

    def target(self, name: str, task: Task | None) -> Target | None:
        """What is predicted; None where it cannot be."""
        if name in self._wrong:
            return None
        try:
            return read_target(name, self.table[name], task)
        except DataError as error:
            self.problems += error.problems
            return None

    def keep(self, rows: Rows) -> None:
        """Leave out the other rows."""
        if len(rows) < self.table.num_rows:
            self.table, self._rows = self.table.take(pa.array(rows)), rows

    def numeric(self, features: tuple[str, ...]) -> tuple[tuple[str, ...], Floats]:
        """Names of the columns of numbers, and their values, shape (n_rows, n_numeric); those of arrays have none."""
        if len(features) == 1 and is_tensor(self.table[features[0]].type):
            return (), self._examples(features[0])
        names = tuple(name for name in features if not self._is_categorical(name))
        numbers = np.zeros((self.table.num_rows, len(names)))
        for i, name in enumerate(names):
            if name in self._wrong or self._is_other(name, "data.source"):
                continue
            numbers[:, i] = as_numbers(self.table[name])
            if np.isnan(numbers[:, i]).all():
                self._add(f"the column {name!r} holds {Kind.EMPTY}. Add it to data.drop.", "data.source")
            self.problems += finite_problems(name, numbers[:, i], self._rows, "data.source")
            if falls_together(self.table[name], numbers[:, i]):
                self._add(
                    f"the column {name!r} holds whole numbers too long for a double, such as {self.table[name][0]}: "
                    "different ones fall together. Add it to data.drop: it looks like an identifier.",
                    "data.source",
                )
        return names, numbers

    def texts(self, features: tuple[str, ...]) -> dict[str, Texts]:
        """The columns of free text."""
        found = {}
        for name in features:
            if name not in self._spec.texts:
                continue
            if kind_of(self.table[name].type) is not Kind.TEXT:
                kind = kind_of(self.table[name].type)
                self._add(f"{name!r} holds {kind}, expected texts. Take it out.", "data.text.columns")
                continue
            found[name] = as_texts(self.table[name])
        return found

    def _examples(self, name: str) -> npt.NDArray[Any]:
        """The arrays of a column, flat: shape (n_rows, n_numbers)."""
        values = tensor_values(self.table[name])
        bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
        if len(bad):
            self._add(
                f"{name!r} must hold finite numbers, got one that is none in row {self._rows[bad[0]] + 1} ({len(bad)} "
                f"such row{'s' if len(bad) > 1 else ''}). Fill it in, or leave these rows out.",
                "data.source",
            )
        return values

    def categorical(self, features: tuple[str, ...]) -> tuple[tuple[str, ...], Codes, tuple[tuple[str, ...], ...]]:
        """Names of the columns of categories, their codes, shape (n_rows, n_categorical), and their vocabularies."""
        names = tuple(name for name in features if self._is_categorical(name))
        codes = np.zeros((self.table.num_rows, len(names)), dtype=np.int64)
        levels = []
        for i, name in enumerate(names):
            vocabulary: tuple[str, ...] = ()
            if name not in self._wrong and not self._is_other(name, "data.source"):
                codes[:, i], vocabulary = as_codes(self.table[name])
                self.problems += self._category_problems(name, codes[:, i], vocabulary)
            levels.append(vocabulary)
        return names, codes, tuple(levels)

    def _category_problems(self, name: str, codes: Codes, vocabulary: tuple[str, ...]) -> list[Problem]:
        if not vocabulary:
            return [Problem(f"the column {name!r} holds {Kind.EMPTY}. Add it to data.drop.", ("data", "source"))]
        problem = category_problem(name, vocabulary, int(np.count_nonzero(codes)))
        return [] if problem is None or name in self._spec.categorical else [problem]

    def groups(self) -> Codes | None:
        """Codes of the column that keeps rows together."""
        name = self._spec.split.group
        if name is None or self._is_other(name, "data.split.group"):
            return None
        codes, _ = as_codes(self.table[name])
        self._check_present("group", name, self._rows[codes == 0])
        return codes

    def times(self) -> Floats | None:
        """Values of the column that rows are sorted by."""
        name = self._spec.split.time
        if name is None or name in self._wrong:
            return None
        kind = kind_of(self.table[name].type)
        if kind not in {Kind.NUMBER, Kind.DATE}:
            self._add(
                f"{name!r} must hold dates, times or numbers, got {kind}. "
                "Turn it into a date in an SQL query, such as strptime(day, '%d.%m.%Y') AS day.",
                "data.split.time",
            )
            return None
        times = as_numbers(self.table[name])
        self._check_present("time", name, self._rows[np.isnan(times)])
        return times

    def described(self, table: pa.Table, label: str, told: dict[str, str]) -> tuple[ColumnKind, ...]:
        """What each column of the source is taken for, but the target.

        Args:
            told: Of columns that the source made of something else.
        """
        features = used_features(self._spec, table, label)
        if len(features) == 1 and is_tensor(table[features[0]].type):
            return tuple(
                _beside_array(name, features[0], told, self._role(name)) for name in table.column_names if name != label
            )
        return tuple(self._describe(name, features) for name in table.column_names if name != label)

    def _describe(self, name: str, features: tuple[str, ...]) -> ColumnKind:
        if name not in features:
            return ColumnKind(name=name, kind="left out", told=self._role(name) or "not a feature")
        if name in self._spec.texts and self._spec.text is not None:
            told = f"{self._spec.text.width} numbers by {self._spec.text.method}"
            return ColumnKind(name=name, kind="text", told=told, n_missing=self.table[name].null_count)
        kind = "category" if self._is_categorical(name) else _KINDS[kind_of(self.table[name].type)]
        n_missing = self.table[name].null_count
        return ColumnKind(name=name, kind=kind, told=self._read.told.get(name, ""), n_missing=n_missing)

    def _role(self, name: str) -> str | None:
        split = self._spec.split
        return {split.group: "keeps rows together", split.time: "sorts rows"}.get(name)

    def _is_categorical(self, name: str) -> bool:
        return kind_of(self.table[name].type) is Kind.TEXT or name in self._spec.categorical

    def _is_other(self, name: str, where: str) -> bool:
        """True for a column of lists and the like, which is told."""
        column_type = self.table[name].type
        if kind_of(column_type) is not Kind.OTHER:
            return False
        remedy = "Name another column" if where != "data.source" else "Add it to data.drop"
        self._add(
            f"the column {name!r} holds {Kind.OTHER} ({column_type}). {remedy}, or turn it into numbers or texts in an "
            "SQL query.",
            where,
        )
        return True

    def _check_present(self, role: str, name: str, missing: Rows) -> None:
        if len(missing):
            self._add(
                f"{name!r} is missing in {len(missing)} rows, the first is row {missing[0] + 1}. "
                "Fill it in, or leave these rows out with an SQL query.",
                f"data.split.{role}",
            )

    def _add(self, message: str, where: str) -> None:
        self.problems.append(Problem(message, tuple(where.split("."))))


def _beside_array(name: str, array: str, told: dict[str, str], role: str | None) -> ColumnKind:
    if name == array:
        return ColumnKind(name=name, kind="array", told=told.get(name, ""))
    return ColumnKind(name=name, kind="left out", told=role or f"a model of {array!r} takes nothing beside it")


_KINDS: dict[Kind, Literal["number", "yes or no", "date"]] = {
    Kind.NUMBER: "number",
    Kind.BOOLEAN: "yes or no",
    Kind.DATE: "date",
}
