"""A configuration in the forms that people paste: YAML, JSON, command-line arguments, Python; rounds nothing."""

import json
import shlex
from collections.abc import Mapping
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from pegbox.schemas.base import Value


def as_yaml(values: Mapping[str, Any]) -> str:
    """A YAML 1.2 mapping, one key a line where it has plain values.

    >>> print(as_yaml({"lr": 0.0015, "widths": (64, 32), "optimizer": "adamw"}), end="")
    lr: 0.0015
    widths: [64, 32]
    optimizer: adamw
    """
    return "".join(_entry(name, _plain(value)) for name, value in values.items())


def _entry(name: str, value: Any) -> str:
    is_flat = not isinstance(value, dict | list)
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False if is_flat else None  # None: a list or mapping of plain values on one line
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 110
    yaml.allow_unicode = True
    stream = StringIO()
    yaml.dump({name: value}, stream)
    return stream.getvalue()


def as_json(values: Mapping[str, Value]) -> str:
    """A JSON object on several lines."""
    return json.dumps(_plain(values), indent=2, ensure_ascii=False)


def as_arguments(values: Mapping[str, Value]) -> str:
    """Arguments for a shell.

    >>> as_arguments({"lr": 0.0015, "name": "a b", "nesterov": True})
    "--lr 0.0015 --name 'a b' --nesterov true"
    """
    words = []
    for name, value in values.items():
        text = value if isinstance(value, str) else json.dumps(_plain(value), ensure_ascii=False)
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
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
