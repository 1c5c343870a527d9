"""Dates written as texts in other forms than ISO's, which Arrow reads: one order of day and month fits all."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from pegbox.datasets.text_numbers import N_PROBED, Unread

# By their first three letters, so that May, Sept. and December are all read; in English alone, picked by hand.
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = (
    r"(?:[T ,]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}(?:\.\d+)?))?\s*"
    r"(?P<half>[AaPp]\.?[Mm]\.?)?(?P<zone>Z|[-+]\d{2}:?\d{2})?)?"
)
_NAME = r"(?P<month>[A-Za-z]{3,9})\.?"
_FORMS = tuple(
    re.compile(form + _CLOCK)
    for form in (
        r"(?P<year>\d{4})(?P<mark>[./-])(?P<b>\d{1,2})(?P=mark)(?P<c>\d{1,2})",
        r"(?P<year>\d{4})-(?P<b>\d{1,2})",
        r"(?P<a>\d{1,2})(?P<mark>[./-])(?P<b>\d{1,2})(?P=mark)(?P<year>\d{4}|\d{2})",
        rf"(?P<a>\d{{1,2}})[ -]{_NAME}[ -](?P<year>\d{{4}}|\d{{2}})",
        rf"{_NAME} (?P<a>\d{{1,2}}),? (?P<year>\d{{4}})",
    )
)
_PIVOT = 69
"""Two digits from here on are of the last century, as POSIX has it."""


class DateReading(NamedTuple):
    """Times of a column, one for each of its distinct texts, in microseconds since 1970."""

    values: list[int]
    told: list[str]
    """The order of day and month, where it was to be found."""


class _Parts(NamedTuple):
    first: int
    """Day or month, whichever comes first."""
    second: int
    year: int
    seconds: float
    is_open: bool
    """True where only the order tells the day from the month."""


def read_dates(words: Sequence[str], *, day_first: bool | None) -> DateReading | Unread | None:
    """The distinct texts of a column as dates; None where they are none.

    Args:
        words: Without the missing ones.
        day_first: Whether the day comes before the month wherever both orders would do; None where that is not known.
    """
    if not any(_parse(word) for word in words[:N_PROBED]):
        return None
    parsed = {word: _parse(word) for word in words}
    others = [word for word, parts in parsed.items() if parts is None]
    dates = [parts for parts in parsed.values() if parts is not None]
    if len(others) >= len(dates):
        return None
    if others:
        return Unread(
            f"must hold dates only, got {others[0]!r} among {len(dates)} distinct dates",
            f"Write `missing: ['{others[0]}']` below data where it means that there is none",
            tuple(others),
        )
    # All dates of a column must fit one order: 13/02 in any row decides for 03/04 in the others.
    orders = [order for order in (True, False) if all(_time(parts, order) is not None for parts in dates)]
    if len(orders) == 2 and any(parts.is_open for parts in dates) and day_first is None:
        word = next(word for word, parts in parsed.items() if parts is not None and parts.is_open)
        if any(parts.first != parts.second for parts in dates if parts.is_open):
            return Unread(
                f"can be read in two ways: {word!r} may begin with the day or with the month",
                "Write `day_first: true` or `day_first: false` below data",
            )
    if not orders:
        return Unread(f"must hold dates in one order of day and month, got {words[0]!r} and others", _BY_QUERY)
    chosen = orders[0] if len(orders) == 1 else day_first is not False
    told = ["day first" if chosen else "month first"] if any(parts.is_open for parts in dates) else []
    return DateReading([_time(parts, chosen) or 0 for parts in dates], told)


_BY_QUERY = "Turn it into a date in an SQL query, such as strptime(day, '%d.%m.%Y') AS day"


def order_in_use(words: Sequence[str]) -> bool | None:
    """Whether the texts of a column can only begin with the day (True) or the month (False)."""
    read = read_dates(words, day_first=None)
    if not isinstance(read, DateReading) or not read.told:
        return None
    return read.told == ["day first"]


def _parse(word: str) -> _Parts | None:
    text = word.strip()
    found = next((match for form in _FORMS if (match := form.fullmatch(text))), None)
    if found is None:
        return None
    groups = found.groupdict()
    year = int(groups["year"])
    if len(groups["year"]) == 2:
        year += 1900 if year >= _PIVOT else 2000
    seconds = _clock(groups)
    if seconds is None:
        return None
    if name := groups.get("month"):
        month = _month(name)
        return _Parts(int(groups["a"]), month, year, seconds, is_open=False) if month else None
    if groups.get("a") is None:
        return _Parts(int(groups.get("c") or 1), int(groups["b"]), year, seconds, is_open=False)
    # The point is of countries that write the day first, all of them.
    return _Parts(int(groups["a"]), int(groups["b"]), year, seconds, is_open=groups["mark"] != ".")


def _clock(groups: dict[str, str]) -> float | None:
    if groups["hour"] is None:
        return 0.0
    hour, minute, second = int(groups["hour"]), int(groups["minute"]), float(groups["second"] or 0)
    if groups["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if groups["half"][0] in "pP" else 0)
    if hour > 23 or minute > 59 or second >= 60:
        return None
    return hour * 3600 + minute * 60 + second - _offset(groups["zone"])


def _offset(zone: str | None) -> float:
    """Seconds that a time zone is ahead of UTC."""
    if zone is None or zone == "Z":
        return 0.0
    sign = -1 if zone[0] == "-" else 1
    return sign * (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60)


def _month(name: str) -> int | None:
    start = name.lower()[:3]
    return _MONTHS.index(start) + 1 if start in _MONTHS else None


def _time(parts: _Parts, day_first: bool) -> int | None:
    """Microseconds since 1970; None where there is no such day."""
    swap = parts.is_open and not day_first
    day, month = (parts.second, parts.first) if swap else (parts.first, parts.second)
    try:
        moment = datetime(parts.year, month, day, tzinfo=UTC)
    except ValueError:
        return None
    return round((moment.timestamp() + parts.seconds) * 1e6)
