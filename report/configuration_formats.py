"""A configuration in the forms that people paste: YAML, JSON, command-line arguments, Python; rounds nothing."""

import json
import shlex
from collections.abc import Mapping
from typing import Any

from pegbox.schemas.base import Value
from pegbox.schemas.yaml_output import plain, yaml_entry


def as_yaml(values: Mapping[str, Any]) -> str:
    """A YAML 1.2 mapping, one key a line where it has plain values.

    >>> print(as_yaml({"lr": 0.0015, "widths": (64, 32), "optimizer": "adamw"}), end="")
    lr: 0.0015
    widths: [64, 32]
    optimizer: adamw
    """
    return "".join(yaml_entry(name, value) for name, value in values.items())


def as_json(values: Mapping[str, Value]) -> str:
    """A JSON object on several lines."""
    return json.dumps(plain(values), indent=2, ensure_ascii=False)


def as_arguments(values: Mapping[str, Value]) -> str:
    """Arguments for a shell.

    >>> as_arguments({"lr": 0.0015, "name": "a b", "nesterov": True})
    "--lr 0.0015 --name 'a b' --nesterov true"
    """
    words = []
    for name, value in values.items():
        # JSON for what is no text: `true`, `null` and lists read the same in most languages, unlike Python's own words.
        text = value if isinstance(value, str) else json.dumps(plain(value), ensure_ascii=False)
        # Both are quoted: a name or a value of an imported study may hold what a shell would run.
        words += [shlex.quote(f"--{name}"), shlex.quote(text)]
    return " ".join(words)


def as_python(values: Mapping[str, Value]) -> str:
    """A dictionary as Python writes it.

    >>> print(as_python({"lr": 0.0015}))
    configuration = {
        "lr": 0.0015,
    }
    """
    lines = [f"    {json.dumps(name, ensure_ascii=False)}: {_python(value)}," for name, value in values.items()]
    return "\n".join(["configuration = {", *lines, "}"])


def _python(value: Value) -> str:
    # repr gives the shortest digits that read back as the same float, so nothing is lost by pasting.
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
