"""Writes docs/command-line.md from the commands themselves: `python docs/make_command_line.py`."""

import inspect
from collections.abc import Iterator
from pathlib import Path

from cyclopts import App
from cyclopts.argument import Argument

from pegbox.cli.app import EXIT_CODES, GROUPS, app
from pegbox.cli.commands import COMMANDS, Command

HERE = Path(__file__).parent
SHARED = ("--store", "--json", "--verbose")
"""Told once, at the top of the page."""
HEAD = f"""# The command line

<!-- Written by docs/make_command_line.py from the commands; change those, not this page. -->

`pegbox --help` lists the commands, `pegbox COMMAND --help` tells what is told here. Results go to stdout, everything
else to stderr. Where a study may be named and is not, the one that ran last is meant.

| option of most commands | |
|---|---|
| `--store` | Directory of the history, or \
[the URL of a shared one](how-to/several-machines.md#one-history-in-a-bucket); \
`PEGBOX_STORE` in the environment, else `.pegbox`. |
| `--json` | Print JSON, for programs. |
| `--verbose`, `-v` | Show tracebacks and what libraries print. |

{EXIT_CODES}
"""


def write_command_line(folder: Path = HERE) -> None:
    """Write the page."""
    parts = [HEAD, *(_section(name, command) for name, command in COMMANDS.items())]
    (folder / "command-line.md").write_text("\n".join(parts), encoding="utf-8")


def _section(name: str, command: Command) -> str:
    own = [app[name][each] for each in app[name] if not each.startswith("-")] if name in GROUPS else []
    tables = [f"### {name} {each.name[0]}\n\n{_first_line(each)}\n\n{_table(each)}".strip() for each in own]
    examples = "\n".join(f"    {example}" for example in command.examples)
    return (
        "\n\n".join(
            (f"## {name}", f"{command.line} {command.more}", examples, *filter(None, tables or [_table(app[name])]))
        )
        + "\n"
    )


def _first_line(command: App) -> str:
    return command.help.partition("\n")[0]


def _table(command: App) -> str:
    rows = [row for argument in command.assemble_argument_collection() for row in _row(argument)]
    return "\n".join(["| | default | |", "|---|---|---|", *rows]) if rows else ""


def _row(argument: Argument) -> Iterator[str]:
    if not argument.show or argument.names[0] in SHARED:
        return
    is_place = argument.index is not None
    names = [argument.names[0].removeprefix("--").upper()] if is_place else argument.names
    choices = argument.get_choices() or ()
    allowed = f" One of {', '.join(f'`{one}`' for one in choices)}." if choices else ""
    written = ", ".join(f"`{name}`" for name in names)
    yield f"| {written} | {_default(argument)} | {argument.parameter.help or ''}{allowed} |"


def _default(argument: Argument) -> str:
    default = argument.field_info.default
    if argument.required:
        return "required"
    if default in (None, False, (), inspect.Parameter.empty) or argument.parameter.show_default is False:
        return ""
    return f"`{default}`"


if __name__ == "__main__":
    write_command_line()
