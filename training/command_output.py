"""Reads metrics out of what a program prints or writes, and tells what was read and what was not; starts no program."""

import csv
import io
import json
import re
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from pegbox.schemas.word_lists import listed
from pegbox.training.printed_dict import find_json
from pegbox.training.printed_line import STEP_NAMES, Reading, read_entries, read_equals, read_line
from pegbox.training.printed_number import number_or_text, read_number

METRICS_FORMS = ("auto", "json", "name=value", "file:<path>", "regex:<expression>", "tensorboard:<directory>")
"""What `train.metrics` may say."""

# All three picked by hand: a message should fit on a screen and still show what the lines have in common.
SHOWN_LINES = 3
"""Unread lines that a message shows."""
SHOWN_CHARACTERS = 120
SHOWN_NAMES = 8

_COLOUR = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9])")
_OVERWRITE = re.compile(r"[\r\b\n]+")
_CUT_NUMBER = re.compile(r"[.,'_]?[0-9]")

ReadLine = Callable[[str], Reading]

_HEAD_OF_TABLE = Reading()


class OutputReader:
    """Reads a stream of output line by line; remembers where in training it is, and tables that go on.

    Args:
        metrics: What `train.metrics` says of stdout: `auto`, `json`, `name=value` or `regex:...`.
    """

    def __init__(self, metrics: str) -> None:
        self._read_line = _reader_of(metrics)
        self._reads_tables = metrics == "auto"
        self._columns: tuple[str, ...] = ()
        self._step: int | None = None
        self._step_name = ""
        self._words: dict[str, str] = {}
        self._torn: set[str] = set()
        self._names: dict[str, None] = {}
        self._has_percent = False
        self._unread: deque[str] = deque(maxlen=SHOWN_LINES)

    def read(self, text: str) -> list[tuple[int | None, dict[str, float | str]]]:
        """The metrics of a line of output, each with its step; a line that was overwritten is several."""
        lines = [line for line in _OVERWRITE.split(_COLOUR.sub("", text)) if line.strip()]
        found = [(self._take(line), line) for line in lines]
        return [(step, numbers) for (step, numbers), _ in found if numbers]

    def _take(self, line: str) -> tuple[int | None, dict[str, float | str]]:
        reading = self._read_row(line) or self._read_line(line)
        step = self._place(reading)
        numbers = {name: self._same_thing(name, value, reading) for name, value in reading.numbers.items()}
        self._has_percent = self._has_percent or reading.has_percent
        read = [name for name, value in numbers.items() if not isinstance(value, str)]
        self._names.update(dict.fromkeys(read))
        is_heading = reading is _HEAD_OF_TABLE or (reading.step is not None and not numbers)
        if not read and not is_heading:
            self._unread.append(line.strip())
        return step, numbers

    def _place(self, reading: Reading) -> int | None:
        """The step of a line: its own, or that of the heading or line before; epochs count where there are any."""
        if reading.step is None:
            return self._step
        if self._step_name and _rank(reading.step_name) > _rank(self._step_name):
            return self._step  # a step within the epoch that was named before
        self._step_name = reading.step_name
        if reading.leads:
            self._step = reading.step
        return reading.step

    def _same_thing(self, name: str, value: float | str, reading: Reading) -> float | str:
        """The value, or a text where a name stands behind other words than before: `Macro F1=` and `Micro F1=`."""
        words = reading.words.get(name)
        if words:
            before = self._words.setdefault(name, words)
            if before != words:
                self._torn.add(name)
        if name in self._torn:
            return f"{value} behind {words!r}, and another behind {self._words[name]!r}"
        return value

    def _read_row(self, line: str) -> Reading | None:
        """A row of a table whose head was printed before; None where the line is none."""
        if not self._reads_tables:
            return None
        cells = _cells(line)
        if len(cells) > 1 and cells[0].lower() in STEP_NAMES and all(_is_title(cell) for cell in cells):
            self._columns = tuple(cells)
            return _HEAD_OF_TABLE
        step = read_number(cells[0]) if self._columns and len(cells) == len(self._columns) else None
        if step is None or not step.is_integer() or step < 0:
            return None
        rest = zip(self._columns[1:], cells[1:], strict=True)
        numbers = {name: number_or_text(cell) for name, cell in rest if cell.strip("-")}
        return Reading(int(step), self._columns[0].lower(), leads=True, numbers=numbers)

    @property
    def names(self) -> Collection[str]:
        """The metrics that had a number so far."""
        return self._names.keys()

    def tell(self, but: Collection[str] = ()) -> str:
        """What was read, in a sentence; empty where nothing was, apart from some names."""
        return sentence([name for name in self._names if name not in but], self._step_name, self._has_percent)

    @property
    def unread(self) -> str:
        """The last lines that nothing was read of, as a message shows them; empty where there are none."""
        return ", ".join(repr(line[:SHOWN_CHARACTERS]) for line in self._unread)


def sentence(names: Iterable[str], step_name: str, has_percent: bool = False) -> str:
    """`read val_acc, train_loss; step from `epoch``: what was understood, for people."""
    known = [*dict.fromkeys(names)]
    if not known:
        return ""
    step = f"step from `{step_name}`" if step_name else "no step is named, so all of it counts at the end"
    percent = "; percentages as fractions, 81.2% is 0.812" if has_percent else ""
    return f"read {listed(known, SHOWN_NAMES)}; {step}{percent}"


def is_written(metrics: str) -> bool:
    """True where metrics come from files that the program writes, not from what it prints."""
    return metrics.partition(":")[0] in {"file", "tensorboard"}


def _reader_of(metrics: str) -> ReadLine:
    kind, _, rest = metrics.partition(":")
    if kind == "regex":
        expression = re.compile(rest)
        return lambda line: _from_match(expression.search(line))
    return {"json": _read_json, "name=value": read_equals}.get(metrics, read_line)


def _read_json(line: str) -> Reading:
    """A line that is a JSON object."""
    entries = find_json(line)
    return Reading() if entries is None else read_entries(entries)


def _from_match(match: re.Match[str] | None) -> Reading:
    """The named groups; one that ends in the middle of a number has cut it, and is none."""
    if match is None:
        return Reading()
    found = {name: text for name, text in match.groupdict().items() if text is not None}
    for name, text in found.items():
        if text[-1:].isdigit() and (more := _CUT_NUMBER.match(match.string, match.end(name))):
            found[name] = f"{text}{more[0]}..."
    reading = read_entries([(name, text) for name, text in found.items() if name in STEP_NAMES])
    numbers = {name: number_or_text(text) for name, text in found.items() if name not in STEP_NAMES}
    return Reading(reading.step, reading.step_name, leads=True, numbers=numbers)


def _rank(step_name: str) -> int:
    return STEP_NAMES.index(step_name) if step_name in STEP_NAMES else 0


def _cells(line: str) -> list[str]:
    """The cells of a row: between bars, commas or white space."""
    if "|" in line:
        return [cell.strip() for cell in line.strip().strip("|").split("|")]
    return [cell.strip() for cell in line.split(",")] if "," in line else line.split()


def _is_title(cell: str) -> bool:
    return bool(re.fullmatch(r"[^\W\d][\w./@() %-]*", cell))


def read_file(text: str) -> list[Reading]:
    """A JSON object, one on each line, or a CSV table with a head.

    Raises:
        ValueError: The text is none of them.
    """
    try:
        raw = [json.loads(text)]
    except ValueError:
        raw = _rows(text)
    if not raw or not all(isinstance(entry, dict) for entry in raw):
        raise ValueError("metrics must be a JSON object, one on each line, or a CSV table with a head")
    return [read_entries(_with_nested(entry)) for entry in raw]


def _rows(text: str) -> list[Any]:
    lines = [line for line in text.splitlines() if line.strip()]
    if lines and not lines[0].lstrip().startswith(("{", "[")) and "," in lines[0]:
        rows = csv.DictReader(io.StringIO(text), skipinitialspace=True)
        return [{name.strip(): cell for name, cell in row.items() if name and cell} for row in rows]
    return [json.loads(line) for line in lines]


def _with_nested(entry: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return find_json(json.dumps(entry)) or []
