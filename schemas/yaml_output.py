"""Plain values as YAML 1.2 text, as a person would write them: flat lists and mappings on one line."""

from collections.abc import Mapping
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

# Picked by hand: a line of a study file fits an editor beside a tree of files.
_WIDTH = 110


def yaml_entry(name: str, value: Any) -> str:
    """One entry of a mapping, ended by a line break.

    >>> print(yaml_entry("lr", {"min": 1e-5, "max": 0.1, "log": True}), end="")
    lr: {min: 1e-05, max: 0.1, log: true}
    """
    value = plain(value)
    if not isinstance(value, dict | list):
        return _dumped({name: value}, flow=False)
    key = _dumped({name: None}, flow=False).rstrip("\n").removesuffix("null").rstrip()
    line = f"{key} {_dumped(value, flow=True)}"
    return line if len(line) <= _WIDTH and line.count("\n") == 1 else _dumped({name: value}, flow=None)


def _dumped(value: Any, flow: bool | None) -> str:
    """As YAML: mappings over several lines, on one line, or (None) on one line where they hold plain values."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = flow
    # The order of a file is its author's; ruamel sorts keys of plain dicts in its safe form.
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = _WIDTH
    yaml.allow_unicode = True
    stream = StringIO()
    yaml.dump(value, stream)
    return stream.getvalue()


def plain(value: Any) -> Any:
    """The same with mappings as dictionaries and tuples as lists."""
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value
