"""Fills the placeholders of a command: text in, arguments out; no shell ever reads them."""

import json
import re
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pegbox.schemas.base import Configuration, Value

COMMAND_NAMES = ("trial", "seed", "epochs", "from_epochs", "checkpoint_dir", "resume_dir", "data_dir", "device")
"""Placeholders of a command beside the parameters."""

ALL_PARAMETERS = ("args", "args_no_hyphens", "args_no_boolean_flags", "args_json", "args_json_file")
"""Placeholders that stand for every active parameter that the command does not name itself."""

HANDED_NAMES = (*COMMAND_NAMES, *ALL_PARAMETERS)
"""What code of the user's is handed beside its parameters; `trial` is also how a function asks for its trial."""

CONTINUING = ("from_epochs", "checkpoint_dir", "resume_dir")
"""Placeholders of a program that continues a trial where the segment before ended."""

_BRACED = re.compile(r"\{\{|\}\}|\{([^{}]+)\}")
_NAME_ALONE = re.compile(r"[^\W\d][\w./@+-]*")
_OVERRIDE = re.compile(r"[+~]{0,2}[^\W\d][\w./@-]*=\{[^{}]+\}")


class Placeholder(NamedTuple):
    """What stands in braces.

    Attributes:
        name: Of a parameter, or one of pegbox's own.
        form: Empty for the value as text; `json`; or `?` for one of two texts.
        yes: Stands for true, behind `?`.
        no: Stands for false; None leaves the argument out.
    """

    name: str
    form: str = ""
    yes: str = ""
    no: str | None = None


def placeholders(text: str, known: Collection[str] = ()) -> tuple[Placeholder, ...]:
    """What stands in braces and is no part of the text itself, such as `{a: 1}` or the doubled braces of `{{a}}`.

    Args:
        text: One argument.
        known: Names that count whatever letters they hold.
    """
    return tuple(found for match in _BRACED.finditer(text) if match[1] and (found := _read(match[1], known)))


def _read(inner: str, known: Collection[str]) -> Placeholder | None:
    if inner in known or _NAME_ALONE.fullmatch(inner):
        return Placeholder(inner)
    name, colon, form = inner.rpartition(":")
    if colon and form == "json" and (name in known or _NAME_ALONE.fullmatch(name)):
        return Placeholder(name, "json")
    name, mark, texts = inner.partition("?")
    if mark and (name in known or _NAME_ALONE.fullmatch(name)):
        yes, colon, no = texts.partition(":")
        return Placeholder(name, "?", yes, no if colon else None)
    return None


class CommandValues(NamedTuple):
    """What the placeholders of a command stand for.

    Attributes:
        configuration: The active parameters of the trial.
        own: pegbox's own names, such as `seed`; a parameter of the same name goes before.
        json_file: Where `{args_json_file}` is written.
    """

    configuration: Configuration
    own: Mapping[str, Value]
    json_file: Path | None = None

    def get(self, name: str) -> Value:
        """The value; None where the parameter is not active."""
        return self.configuration[name] if name in self.configuration else self.own.get(name)

    @property
    def names(self) -> Collection[str]:
        """Every name that has a value."""
        return {*self.configuration, *self.own}


def fill_command(command: Sequence[str], values: CommandValues) -> list[str]:
    """The arguments with each placeholder replaced by what it stands for.

    An argument whose parameter is not active is left out, with the option before it where that stands alone.

    >>> values = CommandValues({"lr": 0.1, "amp": True, "model.depth": 3}, {"seed": 7})
    >>> fill_command(["train", "--lr", "{lr}", "--momentum", "{momentum}", "{amp?--amp}", "{args}"], values)
    ['train', '--lr', '0.1', '--amp', '--model.depth=3']
    """
    filled: list[str] = []
    rest = {name: value for name, value in values.configuration.items() if name not in _named(command, values.names)}
    for argument in command:
        found = placeholders(argument, values.names)
        if len(found) == 1 and argument == f"{{{found[0].name}}}" and _is_list(found[0].name, values):
            filled += _arguments(found[0].name, rest)
        elif all(_has_text(one, values) for one in found):
            filled.append(_fill(argument, values, rest))
        elif filled and not found[0].form and argument == f"{{{found[0].name}}}" and _is_lone_option(filled[-1]):
            filled.pop()
    return filled


def fill(text: str, values: CommandValues) -> str:
    """A text that is no argument of a command, such as a path, with its placeholders replaced."""
    return _fill(text, values, values.configuration)


def names_in(command: Sequence[str], known: Collection[str]) -> Iterator[tuple[int, Placeholder]]:
    """Every placeholder with the place of its argument."""
    for position, argument in enumerate(command):
        yield from ((position, found) for found in placeholders(argument, known))


def _named(command: Sequence[str], known: Collection[str]) -> set[str]:
    return {found.name for _, found in names_in(command, known)}


def _is_list(name: str, values: CommandValues) -> bool:
    return name in ALL_PARAMETERS[:3] and name not in values.names


def _is_lone_option(argument: str) -> bool:
    return argument.startswith("-") and "=" not in argument


def _has_text(found: Placeholder, values: CommandValues) -> bool:
    if found.name in ALL_PARAMETERS and found.name not in values.names:
        return True
    value = values.get(found.name)
    return value is not None and (found.form != "?" or bool(value) or found.no is not None)


def _fill(text: str, values: CommandValues, rest: Configuration) -> str:
    is_override = _OVERRIDE.fullmatch(text) is not None
    has_doubled = "{{" in text

    def replace(match: re.Match[str]) -> str:
        if not match[1]:
            return match[0][0] if has_doubled else match[0]  # without `{{` the end of nested braces, such as JSON's
        found = _read(match[1], values.names)
        return match[0] if found is None else _text(found, values, rest, in_brackets=is_override)

    return _BRACED.sub(replace, text)


def _text(found: Placeholder, values: CommandValues, rest: Configuration, *, in_brackets: bool) -> str:
    if found.name in ALL_PARAMETERS and found.name not in values.names:
        if found.name == "args_json":
            return as_json(rest)
        if found.name == "args_json_file" and values.json_file is not None:
            values.json_file.write_text(as_json(rest), encoding="utf-8")
            return str(values.json_file)
        return shlex.join(_arguments(found.name, rest))
    value = values.get(found.name)
    if found.form == "?":
        return found.yes if value else found.no or ""
    if found.form == "json" or (in_brackets and isinstance(value, tuple)):
        return as_json(value)
    return as_text(value)


def _arguments(name: str, rest: Configuration) -> list[str]:
    """Every parameter as an argument, in one of W&B's three forms."""
    write: Callable[[str, Value], str | None] = {
        "args": lambda key, value: f"--{key}={as_text(value)}",
        "args_no_hyphens": lambda key, value: f"{key}={as_json(value) if isinstance(value, tuple) else as_text(value)}",
        "args_no_boolean_flags": _flag,
    }[name]
    return [text for key, value in rest.items() if (text := write(key, value)) is not None]


def _flag(key: str, value: Value) -> str | None:
    if isinstance(value, bool):
        return f"--{key}" if value else None
    return f"--{key}={as_text(value)}"


def as_json(value: Value | Configuration) -> str:
    """A value as JSON on one line, which Hydra reads too: `[64,32]`, `true`, `null`."""
    plain = dict(value) if isinstance(value, Mapping) else value
    return json.dumps(plain, separators=(",", ":"), ensure_ascii=False)


def as_text(value: Value) -> str:
    """A value as a program reads it: `true`, `0.001`, `64,32`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(as_text(one) for one in value)
    return "" if value is None else str(value)
