"""Numbers written as texts: decimal commas, thousands, percent, currencies, units, brackets; one reading fits all."""

import re
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

Mark = Literal[".", ","]
"""What stands before decimals."""

MARKS: tuple[Mark, ...] = (".", ",")

GAPS = frozenset({"-", "--", "---", "–", "—", ".", "..", "...", "*", "#REF!", "#DIV/0!", "#VALUE!", "#NUM!", "#NAME?"})
"""Texts that stand for a missing value in a column that holds numbers otherwise, as spreadsheets write them."""

# Picked by hand: parsing a million distinct words of free text, only to learn that none is a number, would take
# seconds a column.
N_PROBED = 1000
"""Distinct texts that are looked at before all are: where none of them is a number, the column is one of words."""

_CURRENCY = (
    r"(?:[$€£¥₹₽₩₺₿¢]|[A-Z]{1,3}\$|(?:USD|EUR|GBP|JPY|CHF|CNY|INR|CAD|AUD|SEK|NOK|DKK|PLN|CZK|BRL|ZAR|Rs\.?|kr\.?))"
)
_SPACES = "\u0020\u00a0\u2009\u202f"
_NUMBER = re.compile(
    rf"""
    (?P<open>\()? \s* (?P<sign>[-+\u2212\u2013])? [{_SPACES}]*
    (?P<prefix>{_CURRENCY})? [{_SPACES}]* (?P<inner>[-+\u2212\u2013])?
    (?P<digits> \d (?:[\d.,'\u2019{_SPACES}]*\d)? [.,]? | [.,]\d+ )
    (?P<exponent>[eE][-+]?\d+)? [{_SPACES}]*
    (?P<suffix>(?:[%\u2030]|[^\W\d_]|[°²³/·$€£¥₹₽₩₺\u2032\u2033"])(?:[^\d(),;:+<>=]{{0,11}}[^\s\d(),;:+<>=])?[²³]?)?
    (?P<after>[-\u2212])? \s* (?P<close>\))?
    """,
    re.VERBOSE,
)
_INFINITE = re.compile(r"(?P<sign>[-+]?)(?:inf|infinity|∞)", re.IGNORECASE)


class TextNumber(NamedTuple):
    """A text that is a number, as far as that can be told before it is known which mark stands before decimals."""

    digits: str
    """With the marks between them."""
    exponent: str
    is_negative: bool
    unit: tuple[str, str]
    """What stands before and behind it, such as a currency, a percent sign or `kg`."""

    def value(self, mark: Mark) -> float | None:
        """The number under a mark; None where its digits are not divided as numbers are."""
        whole, _, fraction = self.digits.partition(mark)
        if not all(letter.isdigit() for letter in fraction) or not _is_grouped(whole):
            return None
        digits = "".join(letter for letter in whole if letter.isdigit())
        number = float(f"{digits or '0'}.{fraction or '0'}{self.exponent}")
        return -number if self.is_negative else number


class Reading(NamedTuple):
    """Numbers of a column, one for each of its distinct texts."""

    values: list[float]
    """NaN for a text that stands for a missing value."""
    told: list[str]
    """How they were read, each in a few words; empty for plain numbers."""


class Unread(NamedTuple):
    """Why the texts of a column, most of which are numbers, cannot be read as numbers."""

    why: str
    remedy: str
    strays: tuple[str, ...] = ()
    """The few that are none, where the others are."""


def parse_number(text: str) -> TextNumber | None:
    """A text as a number; None where it is none.

    >>> parse_number("(1.205,13 €)").value(",")
    -1205.13
    """
    text = text.strip()
    if infinite := _INFINITE.fullmatch(text):
        # A number that overflows to infinity under either mark, so that infinity has no branch of its own.
        return TextNumber("9", "e999", infinite["sign"] == "-", ("", ""))
    found = _NUMBER.fullmatch(text)
    if found is None or bool(found["open"]) != bool(found["close"]):
        return None
    signs = [mark for mark in (found["sign"], found["inner"], found["after"]) if mark]
    if len(signs) + bool(found["open"]) > 1:
        return None
    number = TextNumber(
        digits=found["digits"],
        exponent=found["exponent"] or "",
        is_negative=bool(found["open"]) or bool(signs and signs[0] != "+"),
        unit=((found["prefix"] or "").strip(), (found["suffix"] or "").strip()),
    )
    return number if any(number.value(mark) is not None for mark in MARKS) else None


def read_numbers(words: Sequence[str], mark: Mark | None) -> Reading | Unread | None:
    """The distinct texts of a column as numbers.

    Args:
        words: Without the missing ones.
        mark: What stands before decimals wherever both marks would do; None where that is not known.

    Returns:
        None where most texts are no numbers, so that the column is one of words.
    """
    if not any(parse_number(word) for word in words[:N_PROBED]):
        return None
    parsed = {word: parse_number(word) for word in words if word.strip() not in GAPS}
    numbers = {word: number for word, number in parsed.items() if number is not None}
    others = [word for word in parsed if parsed[word] is None]
    # Half, picked by hand: with fewer numbers than words the column is one of words, a few of which look like numbers;
    # with more, a word among them is a mistake that must not turn prices into categories.
    if len(others) >= len(numbers):
        return None
    if others:
        return Unread(
            f"must hold numbers only, got {others[0]!r} among {len(numbers)} distinct numbers",
            f"Write `missing: [{_quoted(others[0])}]` below data where it means that there is none",
            tuple(others),
        )
    return _in_one_unit(numbers, words, mark)


def marks_in_use(columns: Iterable[pa.ChunkedArray]) -> set[Mark]:
    """The marks before decimals that columns of texts show beyond doubt."""
    found: set[Mark] = set()
    for column in columns:
        words = pc.unique(column.drop_null()).to_pylist()
        if not any(parse_number(word) for word in words[:N_PROBED]):
            continue
        numbers = [number for word in words if (number := parse_number(word))]
        if 2 * len(numbers) > len(words):
            marks = _fitting(numbers)
            found |= {marks[0]} if len(marks) == 1 else set()
    return found


def _in_one_unit(numbers: dict[str, TextNumber], words: Sequence[str], mark: Mark | None) -> Reading | Unread:
    units = {number.unit: word for word, number in numbers.items() if not _is_bare_zero(number)}
    if len(units) > 1:
        first, second = list(units.values())[:2]
        return Unread(
            f"must write all numbers in one unit, got {first!r} and {second!r}",
            "Turn them into plain numbers in an SQL query",
        )
    marks = _fitting(numbers.values())
    if not marks:
        point, comma = (next(w for w, n in numbers.items() if n.value(one) is None) for one in MARKS)
        return Unread(
            f"must write all numbers with the same mark before decimals, got {comma!r} and {point!r}",
            "Turn them into plain numbers in an SQL query",
        )
    if len(marks) == 2 and mark is None and any(n.value(".") != n.value(",") for n in numbers.values()):
        word, number = next((w, n) for w, n in numbers.items() if n.value(".") != n.value(","))
        return Unread(
            f"can be read in two ways: {word!r} is {number.value('.'):g} or {number.value(','):g}",
            "Write `decimal: ','` below data where a comma stands before decimals, `decimal: '.'` where a point does",
        )
    chosen = marks[0] if len(marks) == 1 else mark or "."
    values = [_value(numbers.get(word), chosen) for word in words]
    gaps = [repr(word) for word in words if word not in numbers]
    told = _told(numbers.values(), next(iter(units), ("", "")), chosen)
    return Reading(values, [*told, f"{' and '.join(gaps)} as missing"] if gaps else told)


def _fitting(numbers: Iterable[TextNumber]) -> list[Mark]:
    """The marks under which all are numbers."""
    listed = list(numbers)
    return [mark for mark in MARKS if all(number.value(mark) is not None for number in listed)]


def _value(number: TextNumber | None, mark: Mark) -> float:
    value = number.value(mark) if number else None
    return float("nan") if value is None else value


def _told(numbers: Iterable[TextNumber], unit: tuple[str, str], mark: Mark) -> list[str]:
    """Whatever is not plain about them."""
    listed = list(numbers)
    other = "," if mark == "." else "."
    parts = []
    if mark == "," and any("," in number.digits for number in listed):
        parts.append("decimal comma")
    if any(letter in number.digits for number in listed for letter in f"{other}'\u2019{_SPACES}"):
        parts.append("thousands divided")
    if any(unit):
        parts.append(f"in {' '.join(filter(None, unit))}")
    return parts


def _is_bare_zero(number: TextNumber) -> bool:
    """Zero is zero in any unit."""
    return number.unit == ("", "") and not set(number.digits) - set("0.,")


def _is_grouped(whole: str) -> bool:
    """True for the digits before the decimals, divided by nothing or as thousands (or lakhs) are."""
    if whole.isdigit() or not whole:
        # 007 is a code.
        return len(whole) < 2 or whole[0] != "0"
    divider = next(letter for letter in whole if not letter.isdigit())
    first, *middle, last = whole.split(divider)
    groups = [first, *middle, last]
    if not all(group.isdigit() for group in groups) or first.startswith("0") or len(last) != 3:
        return False
    sizes = {len(group) for group in middle}
    # Thousands by three, or lakhs and crores by two (12,34,567).
    return (len(first) <= 3 and sizes <= {3}) or (len(first) <= 2 and sizes == {2})


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "''") + "'"
