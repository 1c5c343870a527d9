"""The two consoles, results on stdout and everything else on stderr; the only place that knows about terminals."""

import json
import os
from typing import IO, Any, Protocol, runtime_checkable

from rich.console import Console, RenderableType
from rich.theme import Theme

from pegbox.cli import terminal

# Names of what a text is for, so that a colour is chosen once. The bar and its rest are those of rich's own progress
# bars; the others are the terminal's sixteen, which follow the user's scheme.
THEME = Theme(
    {
        "name": "bold",
        "quiet": "bright_black",
        "metric": "cyan",
        "good": "bold green",
        "warn": "yellow",
        "bad": "bold red",
        "bar": "#f92672",
        "rest": "grey23",
    }
)
PIPE_WIDTH = 10_000
"""Columns where nobody looks: a table that is piped into a program is never cut or wrapped."""


def console(file: IO[str]) -> Console:
    """A console that takes texts as they are: names of studies hold no markup, numbers no colours of their own."""
    # COLUMNS is a wish of the user's also where there is no terminal, as in a log of a certain width.
    width = None if file.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return Console(
        file=file,
        width=width,
        theme=THEME,
        markup=False,
        emoji=False,
        highlight=False,
        soft_wrap=not file.isatty(),
    )


def out() -> Console:
    """Where results go."""
    return console(terminal.stdout())


def err() -> Console:
    """Where everything else goes."""
    return console(terminal.stderr())


def show(console: Console, renderable: RenderableType) -> None:
    """Print; where nobody looks, without the blanks that fill a table's last column."""
    if console.is_terminal:
        console.print(renderable)
        return
    # rich fills the last column up to the width: 10,000 blanks a line in a pipe.
    with console.capture() as captured:
        console.print(renderable)
    console.file.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def print_error(message: str, word: str = "error") -> None:
    """What went wrong, on stderr."""
    console = err()
    console.print(f"{word}:", style="bad" if word == "error" else "warn", end=" ")
    # Masked last of all, since a message may quote a command or an address that holds a password; imported here to keep
    # `--help` quick.
    from pegbox.schemas.secret_texts import masked

    console.print("\n".join(safe(line) for line in masked(message).splitlines()), soft_wrap=True)


def print_json(value: Any) -> None:
    """A result for programs: one JSON document, models as they are stored."""
    # No NaN: Python writes it, but JSON has none, and `jq` or a browser would refuse the document.
    terminal.stdout().write(json.dumps(_plain(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


@runtime_checkable
class _Model(Protocol):
    """A schema, whose library `--help` need not load."""

    def model_dump(self, *, mode: str) -> dict[str, Any]: ...


def _plain(value: Any) -> Any:
    if isinstance(value, _Model):
        return value.model_dump(mode="json")
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


def safe(text: str) -> str:
    """The text without characters that move the cursor or change colours: what a name may hold, a terminal obeys."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
