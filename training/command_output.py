"""Reads metrics out of what a program prints or writes; starts no program."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

STEP_NAMES = ("step", "epoch")
"""Under these names a program says which step its metrics belong to."""

_NUMBER = r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|nan|inf(?:inity)?)"
_PAIR = re.compile(rf"(?<![\w.])([A-Za-z_][\w.]*)=({_NUMBER})(?![\w.])", re.IGNORECASE)

Line = tuple[int | None, dict[str, Any]]
"""The step, where one is named, and the metrics of one line."""

ReadLine = Callable[[str], Line | None]


def reader_of(metrics: str) -> ReadLine | None:
    """How a line of stdout is read; None where metrics come from a file."""
    kind, _, rest = metrics.partition(":")
    if kind == "file":
        return None
    if kind == "regex":
        expression = re.compile(rest)
        return lambda line: _from_match(expression.search(line))
    return {"json": read_json, "name=value": read_pairs}.get(metrics, read_either)


def read_either(line: str) -> Line | None:
    """A JSON object, or `name=value` pairs."""
    return read_json(line) if line.lstrip().startswith("{") else read_pairs(line)


def read_json(line: str) -> Line | None:
    """A line that is a JSON object; its entries that are no numbers are passed over.

    >>> read_json('{"epoch": 3, "loss": 0.5, "note": "fine"}')
    (3, {'loss': 0.5})
    """
    try:
        raw = json.loads(line)
    except ValueError:
        return None
    return _with_step(raw) if isinstance(raw, dict) else None


def read_pairs(line: str) -> Line | None:
    """All `name=value` pairs of a line whose value is a number.

    >>> read_pairs("epoch=3 loss=0.5 lr=1e-3s")
    (3, {'loss': 0.5})
    """
    return _with_step({name: float(value) for name, value in _PAIR.findall(line)})


def read_file(text: str) -> list[Line]:
    """A JSON object, or one on each line.

    Raises:
        ValueError: The text is neither.
    """
    try:
        raw = [json.loads(text)]
    except ValueError:
        raw = [json.loads(line) for line in text.splitlines() if line.strip()]
    if not all(isinstance(entry, dict) for entry in raw):
        raise ValueError("metrics must be a JSON object, or one on each line")
    return [line for entry in raw if (line := _with_step(entry))]


def _from_match(match: re.Match[str] | None) -> Line | None:
    if match is None:
        return None
    return _with_step({name: _number(text) for name, text in match.groupdict().items() if text}, keep_texts=True)


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text  # refused where metrics are made of it


def _with_step(raw: Mapping[str, Any], *, keep_texts: bool = False) -> Line | None:
    """Splits the step off; a text is kept only where the user named it as a metric, and then must be a number."""
    step = next((int(float(raw[name])) for name in STEP_NAMES if _is_step(raw.get(name))), None)
    metrics = {name: value for name, value in raw.items() if name not in STEP_NAMES}
    if not keep_texts:
        metrics = {
            name: value for name, value in metrics.items() if isinstance(value, int | float) and value is not True
        }
    return (step, metrics) if metrics else None


def _is_step(value: Any) -> bool:
    try:
        return value is not None and float(value) >= 0
    except (TypeError, ValueError):
        return False
