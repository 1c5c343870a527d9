"""What to make of a table that nobody has said anything of but its target: columns to leave out, and how to split."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from pegbox.datasets.categories import category_problem
from pegbox.datasets.column_types import Kind, as_numbers, feature_names, kind_of, target_name
from pegbox.datasets.frame import Frame, Sorter, build_frame, interpreted, used_features
from pegbox.datasets.interpretation import distinct_words
from pegbox.datasets.leaks import find_leaks
from pegbox.datasets.source import Loaded
from pegbox.datasets.source_kinds import source_of
from pegbox.datasets.split import Fold, split_rows
from pegbox.datasets.target import read_target, refuse_lone_class
from pegbox.datasets.understanding import understand, useless_columns
from pegbox.schemas.data import DataSpec, SplitSpec, TextSpec
from pegbox.schemas.errors import DataError, suggest
from pegbox.schemas.preprocessing import ExampleArrays
from pegbox.schemas.understanding import DataUnderstanding
from pegbox.schemas.word_lists import listed

# Picked by hand, all below: what a table looks like says something and proves nothing, which is why each decision is
# written beside its reason, where a person takes it back.
FEWEST_ROWS = 20
"""Below which a fifth of the rows, three or fewer, measures nothing."""
FEW_ROWS = 1000
"""Below which 5 folds are compared instead of one validation part, whose noise would choose the winner."""
MOST_ABSENT = 2
"""Distinct words in a column of numbers that are taken for ways to say that there is none; more are mistakes."""
TIME_FOLDS = 3
"""Of rows that follow each other: they cost as much as one and a half trainings, as the earlier ones are short."""
FEWEST_GROUPS = 10
"""Of a repeated key, and times to split by; with fewer a part would hold one or two of them."""
# In English alone, as the words for yes and no are; the last word of a column's name is looked at.
_KEYS = frozenset(
    {"id", "ids", "key", "uuid", "guid", "customer", "client", "user", "patient", "subject", "person", "member"}
    | {"employee", "student", "account", "household", "device", "machine", "session"}
)
"""Whose values name what rows are about."""
_NUMBERS_OF_ROWS = frozenset({"number", "no", "nr", "num", "index", "idx", "row"})
"""Where every row has another: elsewhere they count something."""
MOST_REASONS = 5
"""Of columns that are left out, where none is left."""
_KEY_OF_OTHERS = "is a key of rows, and says nothing of new ones"
FEWEST_WORDS = 3
"""Of a text on average, for it to be free text: names of people and places have two."""
_WORD = re.compile(r"[^\W\d_]{2,}")
_BIRTH = frozenset({"birth", "born", "birthday", "birthdate", "dob"})
"""A date that orders people and not observations."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A table with a decision on everything that shapes its arrays.

    Attributes:
        spec: Source, target, columns that are left out, and the split.
        left_out: For each column that is, a clause that says why.
        why_split: Sentences.
        absent: Words that were taken for missing values, each with the columns of numbers or dates that hold it.
        n_rows: That have a target.
        n_inputs: Columns of numbers, and one for each level of the categories.
        understanding: Of the table as `spec` has it.
        shape: Of one example where it is a picture or a sequence.
        example: Where examples are one array each.
    """

    spec: DataSpec
    left_out: dict[str, str]
    why_split: tuple[str, ...]
    absent: dict[str, tuple[str, ...]]
    n_rows: int
    n_inputs: int
    understanding: DataUnderstanding
    shape: tuple[int, ...] | None
    example: ExampleArrays | None


def propose(spec: DataSpec) -> Proposal:
    """Decide on columns and split; a decision that the rows do not allow falls back to a plainer one, and is told.

    Args:
        spec: Source and target, and how texts are written.

    Raises:
        DataError: The table cannot be read, its target cannot be predicted, or nothing is left to predict it from.
    """
    source = source_of(spec)
    loaded = source.load()
    if target_name(spec, loaded.target) is None:
        raise DataError(f"data.target: no column to predict is named. {suggest('', loaded.table.column_names)}")
    spec = spec.model_copy(update={"target": target_name(spec, loaded.target)})
    absent = _absent(spec, loaded)
    spec = spec.model_copy(update={"missing": (*spec.missing, *absent)})
    if texts := free_texts(spec, loaded.table):
        spec = spec.model_copy(update={"text": TextSpec(columns=texts)})
    divided = _divide(spec, _survey(spec, loaded), loaded)
    spec, left_out, frame, folds = divided.spec, divided.left_out, divided.frame, divided.folds
    further = _telling(frame, folds[-1])  # of folds by time the last trains on the most rows
    if further:
        # Built anew, though this costs a second: what is written is then what was tried.
        left_out = {**left_out, **further}
        spec = _without(spec, left_out, loaded)
        frame = build_frame(spec, None, loaded)
        folds = split_rows(spec.split, frame)
    width = spec.text.width if spec.text else 0
    n_inputs = frame.numeric.shape[1] + sum(frame.cardinalities) + width * len(frame.texts)
    return Proposal(
        spec,
        left_out,
        divided.told,
        absent,
        len(frame),
        n_inputs,
        understand(spec, frame, folds),
        frame.shape,
        frame.example,
    )


def _absent(spec: DataSpec, loaded: Loaded) -> dict[str, tuple[str, ...]]:
    """Words that alone keep columns from being numbers or dates, and that no other column holds: `n/k`, `unknown`.

    Of the target none: what is not known of it would leave its rows out.
    """
    read, label = interpreted(spec, loaded)
    found: dict[str, tuple[str, ...]] = {}
    for name, words in read.strays.items():
        if len(words) <= MOST_ABSENT and name != label:
            found |= {word: (*found.get(word, ()), name) for word in words}
    elsewhere = {
        word
        for name in loaded.table.column_names
        if kind_of(loaded.table[name].type) is Kind.TEXT and (name == label or name not in read.strays)
        for word in found.keys() & set(distinct_words(loaded.table[name]))
    }
    return {word: names for word, names in found.items() if word not in elsewhere}


def _telling(frame: Frame, fold: Fold) -> dict[str, str]:
    """Columns that tell nothing, and those that tell all; the latter stay where no other column would."""
    useless = useless_columns(frame, fold.train)
    leaks = {
        leak.column: f"alone tells the target (score {leak.score:.3g}, {leak.baseline:.3g} without it): a suspected "
        "leak; take it out of `drop` if it is known when a prediction is asked for"
        for leak in find_leaks(frame, fold.train)
    }
    if frame.shape is not None:  # a pixel that is always black is part of its image
        return {}
    others = {*frame.numeric_names, *frame.categorical_names, *frame.texts} - useless.keys() - leaks.keys()
    return {**useless, **leaks} if others else useless


@dataclass(frozen=True, slots=True)
class _Survey:
    """What each column of a table may serve for.

    Attributes:
        left_out: Columns that cannot be predicted from, each with a clause that says why.
        key: A column that names what several rows are about.
        time: A column that says when a row was observed.
        is_classification: What the target is.
        n_rows: That have a target.
    """

    left_out: dict[str, str]
    key: str | None
    time: str | None
    is_classification: bool
    n_rows: int


def _survey(spec: DataSpec, loaded: Loaded) -> _Survey:
    read, label = interpreted(spec, loaded)
    wrong = dict(zip(read.unread, read.problems, strict=True))
    if label in wrong:
        raise DataError([wrong[label]])
    target = read_target(label, read.table[label], loaded.task)
    if len(target.rows) < FEWEST_ROWS:
        raise DataError(
            f"data.source: {spec.source!r} must have {FEWEST_ROWS} rows or more with a value of {label!r}, got "
            f"{len(target.rows)}: on fewer no model can be compared with another. Gather more."
        )
    refuse_lone_class(label, target)
    sorter = Sorter(spec, read)
    sorter.keep(target.rows)
    left_out = {name: _clause(name, problem.message) for name, problem in wrong.items()}
    keys, times = [], []
    for name in used_features(spec, loaded.table, label):
        if name in spec.texts:
            continue
        column = sorter.table[name]
        if why := _identifies(name, column):
            left_out[name] = why
        elif _is_repeated_key(name, column):
            keys.append(name)
        elif name not in wrong and (why := _refused(sorter, name)):
            left_out[name] = why
        elif _is_time(name, column):
            times.append(name)
    # One key is enough to keep rows together; a further one tells a model about its rows what it cannot know of others.
    left_out |= dict.fromkeys(keys[1:], _KEY_OF_OTHERS)
    times.sort(key=lambda name: not _ascends(sorter.table[name]))
    key, time = next(iter(keys), None), next(iter(times), None)
    return _Survey(left_out, key, time, target.task == "classification", len(target.rows))


def _refused(sorter: Sorter, name: str) -> str | None:
    """What is wrong with a column by itself, so that `build_frame` would refuse the table."""
    seen = len(sorter.problems)
    sorter.numeric((name,))
    sorter.categorical((name,))
    found = sorter.problems[seen:]
    return _clause(name, found[0].message) if found else None


def _clause(name: str, message: str) -> str:
    """A problem of a column as what is said of it, without the advice to leave it out."""
    said = message.removeprefix("the column ").removeprefix(f"{name!r} ")
    return said.removesuffix(".").replace(". Add it to data.drop", "")


def free_texts(spec: DataSpec, table: pa.Table) -> tuple[str, ...]:
    """Columns whose texts are sentences: most rows have one of their own, of several words."""
    found = []
    for name in feature_names(spec, tuple(table.column_names), spec.target or ""):
        if kind_of(table[name].type) is not Kind.TEXT or table[name].null_count == len(table):
            continue
        column = table[name].drop_null()
        distinct = distinct_words(column)
        words = sum(len(_WORD.findall(text)) for text in distinct) / len(distinct)
        if category_problem(name, tuple(distinct), len(column)) is not None and words >= FEWEST_WORDS:
            found.append(name)
    return tuple(found)


def _identifies(name: str, column: pa.ChunkedArray) -> str | None:
    """Why a column is a name of each row; None where it is not.

    Whole numbers that are all different are one where their name says so, or where they are a shuffled count.
    """
    present = column.drop_null()
    if not _is_discrete(present) or len(present) < FEWEST_ROWS or len(pc.unique(present)) < len(present):
        return None
    is_dense = False
    if kind_of(present.type) is Kind.NUMBER:
        numbers = as_numbers(present)
        is_dense = bool(numbers.max() - numbers.min() < 2 * len(numbers))
    if _last_word(name) not in _KEYS | _NUMBERS_OF_ROWS and not is_dense:
        return None
    return "has another value in every row: an identifier, which says nothing of new ones"


def _is_repeated_key(name: str, column: pa.ChunkedArray) -> bool:
    if _last_word(name) not in _KEYS or column.null_count or not _is_discrete(column):
        return False
    return FEWEST_GROUPS <= len(pc.unique(column)) < len(column)


def _is_discrete(column: pa.ChunkedArray) -> bool:
    """True for texts and whole numbers, also those that stand in a column of doubles."""
    kind = kind_of(column.type)
    if kind is not Kind.NUMBER:
        return kind is Kind.TEXT
    numbers = as_numbers(column)
    return bool(np.all(numbers == np.round(numbers)))


def _is_time(name: str, column: pa.ChunkedArray) -> bool:
    if not (types.is_date(column.type) or types.is_timestamp(column.type)) or column.null_count:
        return False
    return not _BIRTH & set(_words(name)) and len(pc.unique(column)) >= FEWEST_GROUPS


def _ascends(column: pa.ChunkedArray) -> bool:
    """True where the rows lie in its order, as they do where they were written down one after the other."""
    return bool(np.all(np.diff(as_numbers(column)) >= 0))


def _words(name: str) -> list[str]:
    """Of a column's name, in small letters: `customerId` and `customer_id` have two.

    >>> _words("customerId"), _words("CUSTOMER_ID")
    (['customer', 'id'], ['customer', 'id'])
    """
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]


def _last_word(name: str) -> str:
    return next(reversed(_words(name)), "")


@dataclass(frozen=True, slots=True)
class _Divided:
    """A table whose rows were split.

    Attributes:
        spec: With the split, and what is left out.
        left_out: For each column that is, a clause that says why.
        told: Why it is split so, and why not otherwise.
    """

    spec: DataSpec
    left_out: dict[str, str]
    told: tuple[str, ...]
    frame: Frame
    folds: tuple[Fold, ...]


def _divide(spec: DataSpec, survey: _Survey, loaded: Loaded) -> _Divided:
    """Split in the first way that the rows allow."""
    failures: list[DataError] = []
    for split, why in _ways(survey):
        left_out = survey.left_out
        if survey.key and split.group is None:
            left_out = {**left_out, survey.key: _KEY_OF_OTHERS}
        tried = _without(spec.model_copy(update={"split": split}), left_out, loaded)
        try:
            frame = build_frame(tried, None, loaded)
            folds = split_rows(split, frame)
        except DataError as error:
            failures.append(error)
            continue
        refused = dict.fromkeys(f"Another way was not possible: {one.problems[0].message}" for one in failures)
        return _Divided(tried, left_out, (why, *refused), frame, folds)
    raise failures[-1]


def _ways(survey: _Survey) -> Iterator[tuple[SplitSpec, str]]:
    """Ways to split, the one that fits best first, each with the reason for it."""
    for way, why in _orders(survey):
        if survey.n_rows < FEW_ROWS:
            yield (
                SplitSpec(folds=5, **way),
                f"{why} On 5 folds, because the noise of one part of {survey.n_rows} rows would choose the winner.",
            )
        elif "time" in way:
            # A network that was ahead on the last stretch alone was behind all trees on the next one.
            yield (
                SplitSpec(folds=TIME_FOLDS, **way),
                f"{why} On {TIME_FOLDS} folds, because what is best on one stretch of time need not be on the next.",
            )
        yield SplitSpec(**way), why


def _orders(survey: _Survey) -> Iterator[tuple[dict[str, Any], str]]:
    if survey.time:
        yield (
            {"time": survey.time, "keep_time": True},
            f"By time: {survey.time!r} says when, and a model is asked about later rows than those that it learned "
            "from. Remove `time` where the order means nothing; with `keep_time` a model may find a trend in it.",
        )
    if survey.key:
        yield (
            {"group": survey.key, "stratify": survey.is_classification},
            f"By group: {survey.key!r} repeats, and rows of one on both sides would be known by heart. Remove `group` "
            "where new rows are of the same ones.",
        )
    if survey.is_classification:
        yield {"stratify": True}, "Each part has the same share of each class."
    why = "" if survey.time or survey.key else " Neither a date nor a repeated key was found."
    yield {}, f"At random.{why}"


def _without(spec: DataSpec, left_out: dict[str, str], loaded: Loaded) -> DataSpec:
    """The specification without these columns.

    Raises:
        DataError: No column is left to predict from; with the reasons for the first of them.
    """
    spec = spec.model_copy(update={"drop": tuple(left_out)})
    label = target_name(spec, loaded.target)
    assert label is not None, "propose refuses a table without one"
    if feature_names(spec, tuple(loaded.table.column_names), label):
        return spec
    reasons = listed([f"{name!r} {why}" for name, why in left_out.items()], MOST_REASONS, "; ")
    raise DataError(f"data.source: no column is left to predict {label!r} from: {reasons}. Add other columns.")
