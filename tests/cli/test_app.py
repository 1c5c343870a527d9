"""The frame of the command line: what it lists, loads, and makes of errors."""

import importlib
import inspect
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pegbox.cli.app import GROUPS, app
from pegbox.cli.commands import COMMANDS, target
from pegbox.schemas.errors import (
    DataError,
    NoTrialSucceededError,
    Problem,
    StoreBusyError,
    StoreNewerError,
    StudyError,
    StudyInterruptedError,
)

REPOSITORY = Path(__file__).parents[2]
HEAVY = {"prefect", "torch", "sklearn", "duckdb", "scipy"}
LOADED = "import sys; from pegbox.cli.app import execute\ntry: execute({arguments!r})\nexcept SystemExit: pass\n"
LOADED += "print(*sorted({{m.partition('.')[0] for m in sys.modules}}), file=sys.stderr)"


def loaded_by(*arguments: str) -> set[str]:
    """The packages that a command line imports, in a process of its own."""
    program = LOADED.format(arguments=list(arguments))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["sql", "--help"], ["--version"]])
def test_help_loads_no_heavy_library(arguments):
    assert loaded_by(*arguments) & HEAVY == set()


def test_help_of_all_loads_few_modules_at_all():
    loaded = loaded_by("--help")

    assert "pydantic" not in loaded
    assert "pegbox" in loaded


@pytest.mark.parametrize("command", [["ls"], ["status"], ["best"], ["sql", "SELECT 1"]])
def test_reading_loads_neither_prefect_nor_a_trainer(store, command):
    loaded = loaded_by(*command, "--store", str(store))

    assert loaded & {"prefect", "torch", "sklearn", "scipy"} == set()


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_is_there_and_documented(name):
    module, _, function = target(name).partition(":")
    command = getattr(importlib.import_module(module), function)

    said = command.help if name in GROUPS else inspect.getdoc(command)
    assert said
    assert COMMANDS[name].line.endswith(".")


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_command_has_help(pegbox, command):
    said = pegbox(command, "--help")

    assert said.code == 0
    assert COMMANDS[command].line[:40] in said.out
    assert COMMANDS[command].more[:40] in said.out
    assert f"Example: pegbox {command}" in said.out


@pytest.mark.parametrize("example", [example for command in COMMANDS.values() for example in command.examples])
def test_every_example_of_the_help_can_be_typed(example):
    program, *arguments = shlex.split(example.rpartition("|")[2])  # the end of a pipe is ours

    _, bound, _ = app.parse_args(arguments, exit_on_error=False, print_error=False)

    assert program == "pegbox"
    assert bound is not None


def test_the_version_is_printed(pegbox):
    from pegbox import __version__

    assert pegbox("--version").out.strip() == __version__


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rnu"], 'Did you mean "run"'),
        (["run"], "requires an argument"),
        (["ls", "--jsno"], "--jsno"),
        (["sql", "SELECT 1", "--format", "xml"], "xml"),
        (["init", "modle"], "modle"),
    ],
)
def test_a_wrong_command_line_is_a_usage_error(pegbox, arguments, words):
    said = pegbox(*arguments)

    assert said.code == 2
    assert words in said.err
    assert "`pegbox --help`" in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (StudyError([Problem("it is low.", ("space",), 3, 1)], "s.yaml"), 2, "error: s.yaml:3:1, space: it is low."),
        (DataError("no [bold]column[/]."), 2, "error: no [bold]column[/]."),
        (NoTrialSucceededError("none."), 3, "error: none."),
        (StoreBusyError("busy."), 5, "error: busy."),
        (StoreNewerError("newer."), 5, "error: newer."),
        (StudyInterruptedError("stopped."), 130, "interrupted: stopped."),
        (KeyboardInterrupt(), 130, "interrupted"),
        (
            PermissionError(13, "Permission denied", "/x"),
            1,
            "error: The system refused '/x': permission denied. See that",
        ),
        (OSError(28, "No space left on device"), 1, "error: The system refused: no space left on device. See that"),
        (MemoryError(), 1, "error: The memory did not suffice."),
        (
            ZeroDivisionError("a bug"),
            1,
            "error: ZeroDivisionError: a bug. This should not happen; with -v you see where",
        ),
    ],
)
def test_an_error_becomes_its_exit_code_and_one_line(pegbox, monkeypatch, error, code, line):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("pegbox.cli.ls.list_studies", fail)

    said = pegbox("ls")

    assert said.code == code
    assert said.err.startswith(line)
    assert "Traceback" not in said.err


def test_verbose_shows_where_an_error_came_from(pegbox, tmp_path):
    said = pegbox("validate", tmp_path / "none.yaml", "-v")

    assert said.code == 2
    assert "Traceback" in said.err
    assert "error: " in said.err


def test_a_reader_who_has_enough_is_no_error(store):
    command = [
        sys.executable,
        "-c",
        "from pegbox.cli.app import main; main()",
        "sql",
        "FROM range(300000)",
        "--format",
        "csv",
    ]
    with subprocess.Popen(
        [*command, "--store", str(store)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        first = process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()

    assert first == "range\n"
    assert (process.returncode, said) == (0, "")


def test_no_color_is_respected_on_a_terminal(store):
    coloured, plain = (shown_on_a_terminal(store, **more) for more in ({}, {"NO_COLOR": "1"}))

    assert "\x1b[36m" in coloured
    assert "\x1b[36m" not in plain


def shown_on_a_terminal(store: Path, **more: str) -> str:
    """What `pegbox status` writes to a terminal."""
    import pty

    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", **more}
    command = [sys.executable, "-c", "from pegbox.cli.app import main; main()", "status", "done", "--store", str(store)]
    subprocess.run(command, stdout=theirs, stderr=theirs, env=environment, check=True, timeout=60)
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
    os.close(ours)
    return shown.decode()


def test_more_arguments_than_a_command_takes_are_named(pegbox):
    said = pegbox("best", "a", "b")

    assert said.code == 2
    assert "more than the command takes: 'b'" in said.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_can_complete_all_commands(shell):
    from pegbox.cli.app import app

    script = app.generate_completion(shell=shell)

    assert [name for name in COMMANDS if name not in script] == []
    assert "--format" in script


def test_no_room_raises_an_error_that_tells_a_user_nothing():
    """What is raised on purpose is of pegbox's own tree, which says what came, where, and what to do."""
    builtin = re.compile(
        r"^\s*raise (?:ValueError|TypeError|RuntimeError|KeyError|Exception|NotImplementedError)\b", re.M
    )
    rooms = ("cli", "flows", "tasks", "execution", "page", "report", "storage", "integrations")
    inside = {
        "flows/segments.py",  # an order of calls that only a fault of pegbox's own can break
        # scikit-learn's contract: its users and its checks expect a ValueError
        "integrations/search_cv.py",
        "integrations/searched_distributions.py",
    }
    files = [path for room in rooms for path in sorted((REPOSITORY / room).rglob("*.py"))]

    found = {str(path.relative_to(REPOSITORY)) for path in files if builtin.search(path.read_text(encoding="utf-8"))}

    assert found == inside
