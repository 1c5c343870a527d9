"""Fills the placeholders of a command: text in, arguments out; no shell ever reads them."""

from collections.abc import Mapping, Sequence

from pegbox.schemas.base import Value
from pegbox.training.check_code import PLACEHOLDER, placeholders


def fill_command(command: Sequence[str], values: Mapping[str, Value]) -> list[str]:
    """The arguments with each `{name}` replaced by its value.

    An argument whose parameter is not active is left out, with the option before it where that stands alone.

    >>> fill_command(["train", "--lr", "{lr}", "--momentum", "{momentum}"], {"lr": 0.1})
    ['train', '--lr', '0.1']
    """
    filled: list[str] = []
    for argument in command:
        names = placeholders(argument)
        if all(values.get(name) is not None for name in names):
            filled.append(fill(argument, values))
        elif filled and argument == f"{{{names[0]}}}" and filled[-1].startswith("-") and "=" not in filled[-1]:
            filled.pop()
    return filled


def fill(text: str, values: Mapping[str, Value]) -> str:
    """The text with each `{name}` replaced; doubled braces stand for themselves."""
    return PLACEHOLDER.sub(lambda match: as_text(values.get(match[1])) if match[1] else match[0][0], text)


def as_text(value: Value) -> str:
    """A value as a program reads it: `true`, `0.001`, `64,32`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(as_text(one) for one in value)
    return "" if value is None else str(value)
