"""Further rows for a model, read as the rows that it learned from were; what does not fit is refused by column name."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from pegbox.datasets.column_types import Codes, Floats, Kind, as_numbers, kind_of
from pegbox.datasets.free_text import Texts, as_texts, text_numbers
from pegbox.datasets.interpretation import are_yes, cleared, distinct_words, lower_words, read_column
from pegbox.datasets.new_examples import read_arrays, read_examples
from pegbox.datasets.preprocessing import AnyScaling, number_kind, scaling_of
from pegbox.datasets.target import finite_problems
from pegbox.datasets.text_dates import DateReading, read_dates
from pegbox.datasets.text_numbers import Reading, read_numbers
from pegbox.schemas.errors import DataError, Problem, suggest
from pegbox.schemas.preprocessing import Feature, Preprocessing
from pegbox.schemas.word_lists import listed


@dataclass(slots=True)
class Remarks:
    """What was noticed about rows that were read all the same, over all batches of them.

    Attributes:
        unknown: Columns that the model does not know, which say nothing to it.
        unseen: For each column of categories the rows whose category training never saw; they count as missing.
        filled: For each column of numbers the rows without a value, where the training rows always had one.
    """

    unknown: dict[str, None] = field(default_factory=dict)
    unseen: Counter[str] = field(default_factory=Counter)
    filled: Counter[str] = field(default_factory=Counter)

    def sentences(self) -> tuple[str, ...]:
        """All of it, a sentence each."""
        said = [f"the column {name!r} is not known to the model and says nothing to it." for name in self.unknown]
        said += [
            f"{name!r} holds a category that training never saw in {_rows(count)}: it counts as missing."
            for name, count in self.unseen.items()
        ]
        said += [
            f"{name!r} is missing in {_rows(count)}, and never was in training: its mean stands there."
            for name, count in self.filled.items()
        ]
        return tuple(said)


class NewRows:
    """Reads further rows for one model."""

    def __init__(self, preprocessing: Preprocessing) -> None:
        self.preprocessing = preprocessing
        self._scaling: AnyScaling = scaling_of(preprocessing)
        self._is_plain = (
            not preprocessing.categorical
            and not preprocessing.texts
            and all(feature.kind == "number" for feature in preprocessing.numeric)
        )
        # Arrays have their columns in the order of the source, the model has numbers first.
        self._order: list[int] = []
        if preprocessing.example is not None:
            return
        places = {name: place for place, name in enumerate(preprocessing.columns)}
        self._order = [places[feature.name] for feature in preprocessing.numeric]

    def read_array(self, rows: npt.NDArray[np.floating]) -> tuple[npt.NDArray[np.float32], Codes]:
        """Rows of numbers as a plain array, shape (n_rows, n_columns), columns in the order of the source.

        Of examples that are arrays, shape (n_rows, *shape); pictures may have any height and width.

        Raises:
            DataError: It has another number of columns, holds what is not finite, or the model needs more than numbers.
        """
        if self.preprocessing.example is not None:
            return self._scaling.apply(read_arrays(rows, self.preprocessing), _no_codes(len(rows)))
        names = self.preprocessing.columns
        if rows.ndim != 2 or rows.shape[1] != len(names):
            raise DataError(
                f"rows: expected an array of shape (n_rows, {len(names)}) with the columns {listed(names, 10)}, got "
                f"one of shape {rows.shape}. Give a data frame, whose columns are found by name."
            )
        if not self._is_plain:
            # By name from here on: words and dates are read column by column.
            return self.read(pa.table([pa.array(rows[:, i], from_pandas=True) for i in range(len(names))], list(names)))
        numbers = np.asarray(rows, dtype=np.float64)
        if self._order != list(range(len(names))):
            numbers = numbers[:, self._order]
        if not np.isfinite(numbers.sum()):  # one sum instead of a look at each: it is finite where all of them are
            self._require_finite(numbers, 0)
        return self._scaling.apply(numbers, _no_codes(len(numbers)))

    def read(
        self, table: pa.Table, first_row: int = 0, remarks: Remarks | None = None
    ) -> tuple[npt.NDArray[np.float32], Codes]:
        """Rows with named columns, in any order.

        Args:
            first_row: How many rows came before, so that rows are told by their place in the whole.
            remarks: Takes note of what is unusual and harmless.

        Returns:
            As `Scaling.apply` has them: shapes (n_rows, n_numeric) float32 and (n_rows, n_categorical).

        Raises:
            DataError: Columns are missing, stand twice, or hold something else than in training; all of them at once.
        """
        numbers, codes = self._scaling.apply(
            *self.read_raw(table, first_row, Remarks() if remarks is None else remarks)
        )
        if not self.preprocessing.texts:
            return numbers, codes
        return np.hstack([numbers, text_numbers(self.preprocessing.texts, self._texts(table))]), codes

    def read_raw(self, table: pa.Table, first_row: int, remarks: Remarks) -> tuple[Floats, Codes]:
        """The same before anything is filled in or scaled; see `read`.

        Returns:
            Numbers, NaN where one is missing, shape (n_rows, n_numeric), and codes, shape (n_rows, n_categorical).
            Numbers of examples that are arrays are of the type of the source.
        """
        self._check_columns(table, remarks)
        if self.preprocessing.example is not None:
            column = table[self.preprocessing.example.column]
            return read_examples(column, self.preprocessing, first_row), _no_codes(len(column))
        problems: list[Problem] = []
        numeric = np.empty((table.num_rows, len(self.preprocessing.numeric)))
        for i, feature in enumerate(self.preprocessing.numeric):
            try:
                numeric[:, i] = _numbers(feature, self._column(table, feature), self.preprocessing, first_row)
            except DataError as error:
                problems += error.problems
        codes = np.empty((table.num_rows, len(self.preprocessing.categorical)), dtype=np.int64)
        for i, feature in enumerate(self.preprocessing.categorical):
            try:
                codes[:, i] = _codes(feature, self._column(table, feature), remarks)
            except DataError as error:
                problems += error.problems
        if problems:
            raise DataError(problems)
        self._require_finite(numeric, first_row)
        self._note_filled(numeric, remarks)
        return numeric, codes

    def scaled(self, numbers: Floats, codes: Codes) -> tuple[npt.NDArray[np.float32], Codes]:
        """What `read` makes of what `read_raw` gave."""
        return self._scaling.apply(numbers, codes.copy())  # it writes over the codes

    def _texts(self, table: pa.Table) -> dict[str, Texts]:
        """The columns of free text.

        Raises:
            DataError: One holds something else.
        """
        found = {}
        for one in self.preprocessing.texts:
            kind = kind_of(table[one.name].type)
            if kind not in {Kind.TEXT, Kind.EMPTY}:
                raise DataError(f"rows: the column {one.name!r} held free text in training, got {kind}.")
            found[one.name] = as_texts(table[one.name])
        return found

    def _column(self, table: pa.Table, feature: Feature) -> pa.ChunkedArray:
        column = table[feature.name]
        if types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        return cleared(column, self.preprocessing.missing) if self.preprocessing.missing else column

    def _check_columns(self, table: pa.Table, remarks: Remarks) -> None:
        counts = Counter(table.column_names)
        wanted = self.preprocessing.columns
        missing = [name for name in wanted if name not in counts]
        problems = [
            Problem(f"the column {name!r} is missing. {suggest(name, counts)} The model needs {listed(wanted, 10)}.")
            for name in missing
        ]
        problems += [
            Problem(f"the column {name!r} stands there {counts[name]} times. Leave one.")
            for name in wanted
            if counts[name] > 1
        ]
        if problems:
            raise DataError([problem._replace(path=("rows",)) for problem in problems])
        known = {*wanted, self.preprocessing.target, *self.preprocessing.ignored}
        remarks.unknown.update(dict.fromkeys(name for name in counts if name not in known))

    def _require_finite(self, numbers: Floats, first_row: int) -> None:
        rows = np.arange(first_row, first_row + len(numbers))
        problems = [
            problem
            for i, feature in enumerate(self.preprocessing.numeric)
            for problem in finite_problems(feature.name, numbers[:, i], rows, "rows")
        ]
        if problems:
            raise DataError(problems)

    def _note_filled(self, numeric: Floats, remarks: Remarks) -> None:
        counts = np.count_nonzero(np.isnan(numeric), axis=0)
        for i in np.setdiff1d(np.flatnonzero(counts), self.preprocessing.gaps):
            remarks.filled[self.preprocessing.numeric[i].name] += int(counts[i])


def _numbers(feature: Feature, column: pa.ChunkedArray, how: Preprocessing, first_row: int) -> Floats:
    """A column that is no category, as numbers."""
    kind = kind_of(column.type)
    if kind is Kind.EMPTY:
        return np.full(len(column), np.nan)
    if kind is Kind.TEXT:
        column = _read_texts(feature, column, how, first_row)
    elif kind is Kind.OTHER or not _fits(feature, column):
        raise _other_type(feature, f"{kind} ({column.type})", "Turn it into them")
    return as_numbers(column)


def _fits(feature: Feature, column: pa.ChunkedArray) -> bool:
    """True if a column that is no text holds what the feature held in training."""
    if feature.kind == "yes or no" and kind_of(column.type) is Kind.NUMBER:
        return bool(pc.all(pc.is_in(column.drop_null().cast(pa.float64(), safe=False), pa.array([0.0, 1.0]))).as_py())
    kind = number_kind(column.type)
    return kind == feature.kind or (feature.kind == "number" and kind == "yes or no")


def _read_texts(feature: Feature, column: pa.ChunkedArray, how: Preprocessing, first_row: int) -> pa.ChunkedArray:
    """Texts as what they were in training."""
    if feature.kind == "yes or no":
        return _read_truths(feature, column, first_row)
    if feature.kind == "number" and how.decimal != ",":
        try:
            return column.cast(pa.float64())  # the fast way, for plain numbers
        except pa.ArrowInvalid:
            pass
    if feature.kind == "date":
        try:
            return column.cast(pa.timestamp("us"))  # ISO 8601, at Arrow's speed
        except pa.ArrowInvalid:
            pass
    words = distinct_words(column)
    if not words:
        return pa.chunked_array([pa.nulls(len(column), pa.float64())])
    read = (
        read_dates(words, day_first=how.day_first)
        if feature.kind == "date"
        else read_numbers(words, how.decimal)
        if feature.kind == "number"
        else None
    )
    if not isinstance(read, (Reading, DateReading)):
        raise _other_type(feature, _first_odd(feature, column, how, first_row), "Correct it, or leave it empty")
    return read_column(column, words, read)


def _read_truths(feature: Feature, column: pa.ChunkedArray, first_row: int) -> pa.ChunkedArray:
    yes = feature.yes or ("true", "yes", "1", "1.0")
    no = {"true": "false", "yes": "no", "y": "n", "t": "f", "on": "off", "1": "0", "1.0": "0.0"}
    known = [*yes, *(no[word] for word in yes)]
    words = lower_words(column)
    odd = pc.indices_nonzero(pc.and_kleene(pc.is_valid(words), pc.invert(pc.is_in(words, pa.array(known, words.type)))))
    if len(odd):
        place = odd[0].as_py()
        what = f"{column[place].as_py()!r} in row {first_row + place + 1}"
        raise _other_type(feature, what, f"Write one of {', '.join(known)}")
    return are_yes(column, yes)


def _first_odd(feature: Feature, column: pa.ChunkedArray, how: Preprocessing, first_row: int) -> str:
    """The first text that is not what the feature holds."""
    for place, word in enumerate(column.to_pylist()):
        if word is None:
            continue
        alone = (
            read_dates([word], day_first=how.day_first) if feature.kind == "date" else read_numbers([word], how.decimal)
        )
        if not isinstance(alone, (Reading, DateReading)):
            return f"{word!r} in row {first_row + place + 1}"
    return "texts that are written in more than one way"


def _other_type(feature: Feature, what: str, remedy: str) -> DataError:
    held = {"number": "numbers", "date": "dates", "duration": "durations", "time of day": "times of day"}
    expected = held.get(feature.kind, "yes or no")
    return DataError(
        [Problem(f"the column {feature.name!r} held {expected} in training, got {what}. {remedy}.", ("rows",))]
    )


def _codes(feature: Feature, column: pa.ChunkedArray, remarks: Remarks) -> Codes:
    """A column of categories as codes; 0 where it is missing or was never seen."""
    kind = kind_of(column.type)
    if kind is Kind.OTHER:
        raise DataError(
            [
                Problem(
                    f"the column {feature.name!r} held categories in training, got {column.type}. Turn it into texts.",
                    ("rows",),
                )
            ]
        )
    if kind is Kind.EMPTY:
        return np.zeros(len(column), dtype=np.int64)
    words = _spelt(column, feature.levels)
    found = pc.index_in(words, pa.array(feature.levels, pa.large_string()))
    codes: Codes = pc.fill_null(found, -1).to_numpy().astype(np.int64) + 1
    seen = np.ones(len(feature.levels) + 1, dtype=bool)
    seen[[0, *feature.unlearned]] = False
    if n_unseen := int(np.count_nonzero(~seen[codes])) - words.null_count:
        remarks.unseen[feature.name] += n_unseen
    return codes


def _spelt(column: pa.ChunkedArray, levels: tuple[str, ...]) -> pa.ChunkedArray:
    """The values as texts, numbers spelt as in training: a column of codes with a gap comes as 3.0 where it was 3."""
    is_whole = not any(level.endswith(".0") for level in levels)
    if types.is_floating(column.type) and is_whole:
        whole = column.cast(pa.int64(), safe=False)
        if pc.all(pc.equal(whole.cast(column.type), column)).as_py() is not False:
            column = whole
    elif types.is_integer(column.type) and levels and not is_whole:
        column = column.cast(pa.float64())
    return column.cast(pa.large_string())


def _no_codes(n_rows: int) -> Codes:
    return np.empty((n_rows, 0), dtype=np.int64)


def _rows(count: int) -> str:
    return f"{count} row{'s' if count > 1 else ''}"
