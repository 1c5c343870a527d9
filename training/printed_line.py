"""Reads names and numbers out of one line that a program prints; the rule stands in docs/how-to/tune-any-program.md.

What does not follow the rule stays unread, and is told: a metric is never guessed, and no number is ever cut.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pegbox.training.printed_dict import find_dict, unwrapped, value_of
from pegbox.training.printed_number import is_like_a_number, number_or_text, read_number

STEP_NAMES = ("epoch", "round", "iteration", "iter", "global_step", "step")
"""Under these names a program says where in training it is; the first of them that it uses counts."""

PARTS = frozenset(["train", "training", "val", "valid", "validation", "test", "testing", "eval", "evaluation", "dev"])
"""Words for a part of the data; one that stands in a line holds for every name after it that says none itself."""

KINDS = frozenset(["best", "avg", "average", "mean", "median", "running", "smoothed", "ema", "min", "max", "total"])
"""Words that make another metric of the name right behind them: the best accuracy is not the accuracy."""

_NOT_NOW = frozenset(["best", "max", "maximum", "total", "num", "number", "last", "early", "per", "every", "patience"])
"""Before `epoch` these speak of another epoch than the one that a line is about."""

_NO_NAMES = frozenset(["from", "to", "in", "at", "for", "after", "of", "by", "than", "with", "on", "took", "and", "is"])
"""Words of a sentence: a number behind one of them has no name."""

MOST_WORDS = 4
"""A name of more words is a sentence."""

MOST_CHARACTERS = 200
"""So far back words that belong to a name are looked for."""

_STEP = re.compile(
    rf"(?<![\w./-])(?P<name>{'|'.join(STEP_NAMES)})(?:\((?P<part>\w+)\))?[ \t]*+[:=#]?[ \t]*+\[?[ \t]*+"
    r"(?P<step>[0-9]{1,12}(?:\.[0-9]+)?)"
    r"(?:\s{0,9}(?:/|of\b)\s{0,9}[0-9]+)?(?:\s{0,9}\])?(?:\s{0,9}\[[\d\s/()%.,]{0,60}\])?(?![\w%/]|[.,][0-9])",
    re.IGNORECASE,
)
_HEAD = re.compile(r"\s*(?:\[\s*(?P<bracket>[0-9]+)\s*(?:[/,]\s*[0-9]+\s*)?\]|(?P<bare>[0-9]+):(?=\s+[^\W\d]\w*:))")
_STAMP = re.compile(
    r"\s*[\[(]?(?:\d{4}[-/]\d\d?[-/]\d\d?(?:[T ,]+\d\d?:\d\d(?::\d\d)?(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)?"
    r"|\d\d?:\d\d:\d\d(?:[.,]\d+)?)[\])]?[\s:|-]*"
)
_LEVEL = re.compile(
    r"\b(?:TRACE|DEBUG|INFO|SUCCESS|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL)\b(?::[\w.]*:|[\s\])>|:-]*)"
    r"|^[IWEF]\d{4} [\d:.]+\s+\d+ (?=\S+:\d+\])"
)
_CODE_PLACE = re.compile(r"[\w.<>/]+:(?:[\w.<>]+:)?\d+(?:\]|\s+-|:)\s*")
_BAR = re.compile(r"(?<!\d)\d{1,3}%\|[^|]*\|(?:\s*[\d.]+\w?/[\d.]+\w?)?")
# Between digits a comma and a colon are no borders: `1,205` and `10:30` are one token each, and no number.
_CUT = re.compile(r"[;|\[\](){}\t]|[,:](?![0-9])|(?<![0-9])[,:]|(?:(?<=\s)|^)[-*>#\u2022\u2013\u2014]+(?=\s)")
# A name begins behind a border and never gives a letter back: lines of 100,000 letters are read in milliseconds.
_NAME = r"(?<![^\s,;|()\[\]{}=:\"'`])(?:[^\s,;|()\[\]{}=:\"'`]|(?<=\w)'(?=\w))++(?:\([^\s()]*\))?"
_SIGNED = re.compile(rf"[\"'`]?(?P<name>{_NAME})[\"'`]?(?P<sign>\s*=(?![=<>])\s*|\s*:\s*)")
_VALUE = re.compile(r"[^\s,;|()\[\]{}]+(?:,(?=[0-9])[^\s,;|()\[\]{}]+)*")
_WORD = re.compile(r"[^\W\d_][\w'@./+()-]*")
_WORDS_BEFORE = re.compile(r"(?:[^\W\d_](?:[\w'@./+-]*[\w'])?\s+)+$")
_PLAIN = re.compile(r"[^\W_]+")
_REST_OF_VALUE = re.compile(
    r"\s+(?:(?:->|=>|\u2192)\s*\S+|[0-9][0-9.,eE+-]*|%|(?:[mun]?s|secs?|seconds?|mins?|minutes?|h|hours?|it/s|[KMGT]i?B)\b)(?=\s|$|[,;|)\]])"
)


@dataclass(frozen=True)
class Reading:
    """What one line says.

    Attributes:
        step: Where in training, as printed; None where the line does not say.
        step_name: The word that said it, such as `epoch`.
        leads: True if the step stands before every pair, so that it holds for the lines that follow.
        numbers: Metric name to number, or to the text that stands where a number should.
        words: The words before each name that are no part of it.
        has_percent: True if a percentage was read.
    """

    step: int | None = None
    step_name: str = ""
    leads: bool = False
    numbers: dict[str, float | str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    has_percent: bool = False


class _Pair(NamedTuple):
    start: int
    end: int
    name: str
    token: str
    takes_words: bool
    """False behind `=`, which binds a single word."""


def read_line(line: str) -> Reading:
    """Everything that a line says by the rule; nothing where it says nothing."""
    line = unwrapped(_BAR.sub(" ; ", line))
    if found := find_dict(line):
        before, entries = found
        return read_entries(entries, before)
    return _read_text(_without_log_prefix(line))


def read_equals(line: str) -> Reading:
    """Only what stands behind an equals sign, and the step."""
    return _read_text(_without_log_prefix(unwrapped(line)), only_equals=True)


def read_entries(entries: Iterable[tuple[str, Any]], before: str = "") -> Reading:
    """A JSON object or dict as a reading; what stands before it may say the step and the part of the data."""
    around = _read_text(_without_log_prefix(before)) if before.strip() else Reading()
    part = _part(before, "")
    numbers: dict[str, float | str] = {}
    steps = {}
    for name, raw in entries:
        value = value_of(raw)
        if name.lower() in STEP_NAMES and isinstance(value, float) and math.isfinite(value) and value >= 0:
            steps[name.lower()] = math.ceil(value)
        elif value is not None:
            _put(numbers, _with_part(name, part), value)
    step_name = next((name for name in STEP_NAMES if name in steps), around.step_name)
    step = steps.get(step_name, around.step)
    return Reading(step, step_name, leads=step is not None, numbers=numbers)


def _put(numbers: dict[str, float | str], name: str, value: float | str) -> None:
    """Two values under one name are no number: nobody can tell which of them is meant."""
    other = numbers.get(name)
    is_same = other is None or other == value or (other != other and value != value)  # noqa: PLR0124 - NaN is NaN
    numbers[name] = value if is_same else f"{other} and {value} in one line"


def _without_log_prefix(line: str) -> str:
    """Without the time, level and place in code that logging puts at the head of a line."""
    while (stamp := _STAMP.match(line)) and stamp.end():
        line = line[stamp.end() :]
    level = _LEVEL.search(line[:120])
    if level and not re.search(r"=|:\s+\S", line[: level.start()]):
        line = line[level.end() :].lstrip(" :|-")
    place = _CODE_PLACE.match(line)
    return line[place.end() :] if place else line


def _read_text(text: str, *, only_equals: bool = False) -> Reading:
    step, step_name, leads, text = _take_step(text)
    numbers: dict[str, float | str] = {}
    words: dict[str, str] = {}
    has_percent, end, part = False, 0, ""
    for pair in _pairs(text, only_equals=only_equals):
        gap = text[end : pair.start]
        part = _part(gap, part)
        name, before = _full_name(pair, gap, part)
        _put(numbers, name, number_or_text(pair.token))
        words[name] = before
        has_percent = has_percent or (pair.token.endswith("%") and read_number(pair.token) is not None)
        end = pair.end
    fold = next((value for name, value in numbers.items() if name.lower() == "fold"), None)
    if fold is not None:  # so that the folds of a cross-validation do not pass for epochs of one training
        words = {name: before or f"fold {fold}" for name, before in words.items()}
    return Reading(step, step_name, leads, numbers, words, has_percent)


def _take_step(text: str) -> tuple[int | None, str, bool, str]:
    """The step, its name, whether it leads the line, and the text without it."""
    found: dict[str, int] = {}
    first = len(text)

    def take(match: re.Match[str]) -> str:
        nonlocal first
        name, value = match["name"].lower(), float(match["step"])
        before = re.findall(r"[^\W\d_]+", text[max(0, match.start() - MOST_CHARACTERS) : match.start()])
        if (before and before[-1].lower() in _NOT_NOW) or (name != "epoch" and value != int(value)):
            return match[0]
        first = min(first, match.start())
        found.setdefault(name, math.ceil(value))
        return f" {match['part'] or ''} ; "

    rest = _STEP.sub(take, text)
    if not found and (head := _HEAD.match(text)):
        return int(head["bracket"] or head["bare"]), "[n]" if head["bracket"] else "n:", True, text[head.end() :]
    name = next((name for name in STEP_NAMES if name in found), "")
    return found.get(name), name, bool(found) and next(_pairs(text[:first]), None) is None, rest


def _pairs(text: str, *, only_equals: bool = False) -> Iterator[_Pair]:
    """The pairs with a sign between name and number, and those with white space alone between delimiters."""
    signed = list(_signed_pairs(text))
    if only_equals:
        yield from (pair for pair in signed if not pair.takes_words)
        return
    begin, spaced = 0, []
    cuts = [(match.start(), match.end()) for match in _CUT.finditer(text)]
    for start, end in [*sorted([*cuts, *((pair.start, pair.end) for pair in signed)]), (len(text), len(text))]:
        if start > begin:
            spaced += _spaced_pairs(text, begin, start)
        begin = max(begin, end)
    yield from sorted([*signed, *spaced])


def _signed_pairs(text: str) -> Iterator[_Pair]:
    at = 0
    while match := _SIGNED.search(text, at):
        is_bound = match["sign"].strip() == "="
        at = match.end()
        if is_like_a_number(text, at) and _is_name(match["name"]) and (value := _VALUE.match(text, at)):
            at, token = _whole_value(text, value.end(), value[0])
            yield _Pair(match.start(), at, match["name"].strip("*"), token, takes_words=not is_bound)
        elif match["sign"] == "=" and (value := _VALUE.match(text, at)):
            at = value.end()  # `device=cuda:0` says nothing of cuda


def _spaced_pairs(text: str, begin: int, end: int) -> list[_Pair]:
    """The pairs of a stretch that holds nothing else: `loss 0.5 acc 81.2%`, but not `took 3` nor `500 images`."""
    pairs: list[_Pair] = []
    word: re.Match[str] | None = None
    tokens = re.compile(r"\S+")
    at = begin
    while token := tokens.search(text, at, end):
        at = token.end()
        if word and is_like_a_number(token[0]) and word[0].lower() not in _NO_NAMES and _is_name(word[0]):
            at, value = _whole_value(text, token.end(), token[0])
            pairs.append(_Pair(word.start(), at, word[0], value, takes_words=True))
            word = None
        elif _WORD.fullmatch(token[0]):
            word = token
        else:
            return []
    return pairs if word is None else []


def _is_name(text: str) -> bool:
    return any(letter.isalpha() for letter in text) and not text.endswith(".py") and "//" not in text


def _whole_value(text: str, end: int, token: str) -> tuple[int, str]:
    """The token with what belongs to it behind a space: a unit, a percent sign, more digits; and where it ends."""
    rest = _REST_OF_VALUE.match(text, end)
    if not rest:
        return end, token
    more = rest[0].strip()
    return rest.end(), f"{token}%" if more == "%" else f"{token} {more}"


def _full_name(pair: _Pair, gap: str, part: str) -> tuple[str, str]:
    """The name with the words before it that belong to it, and those that do not."""
    found = _WORDS_BEFORE.search(gap[-MOST_CHARACTERS:])
    words = found[0].split() if found else []
    if pair.takes_words and _PLAIN.fullmatch(pair.name):
        own = words[-(MOST_WORDS - 1) :]
    else:
        own = []
        while words[: len(words) - len(own)] and _belongs(words[-1 - len(own)], pair.name):
            own.insert(0, words[-1 - len(own)])
    before = words[: len(words) - len(own)]
    return _with_part(" ".join([*own, pair.name]), part), " ".join(before)


def _belongs(word: str, name: str) -> bool:
    """True for a word that makes another metric of the name: `best`, `valid_0's`, or `val` where the name has none."""
    return word.lower() in KINDS or word.endswith("'s") or (word.lower() in PARTS and not _parts_in(name))


def _with_part(name: str, part: str) -> str:
    return f"{part} {name}" if part and not _parts_in(name) else name


def _parts_in(name: str) -> bool:
    return any(word in PARTS for word in re.split(r"[\W\d_]+", name.lower()))


def _part(gap: str, part: str) -> str:
    """The last word for a part of the data in a stretch of text; `part` where there is none."""
    found = [word for word in re.findall(r"(?<![\w./-])[^\W\d_]+(?![\w./]|-\w)", gap) if word.lower() in PARTS]
    return found[-1] if found else part
