"""The command line: which commands there are, and what becomes of their errors; each command is a file of its own."""

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

from cyclopts import App, CycloptsError, UnusedCliTokensError

from pegbox import __version__
from pegbox.cli import terminal
from pegbox.cli.commands import COMMANDS, target
from pegbox.cli.console import err, print_error
from pegbox.cli.options import Verbosity

# As argparse and the shells have it; 130 is 128 and the number of SIGINT.
USAGE_ERROR = 2
INTERRUPTED = 130
EXIT_CODES = (
    "Exit codes: 0 done, 1 error, 2 usage or study file invalid, 3 no trial succeeded, 4 target missed, "
    "5 store busy or newer, 130 interrupted."
)

app = App(
    name="pegbox",
    help="Tune hyperparameters: a study file goes in, an answer comes out.",
    version=__version__,
    # Plain, because Markdown would take the stars of a cron line and the brackets of a command for its own.
    help_format="plaintext",
    help_epilogue=EXIT_CODES,
)
app.register_install_completion_command(help="Let Tab complete commands and options in this shell.")
GROUPS = {"store"}
"""Commands that have commands of their own."""
for position, (name, described) in enumerate(COMMANDS.items()):
    own = {} if name in GROUPS else {"help_epilogue": ""}  # the exit codes stand in the help of all
    app.command(target(name), name=name, help=described.help, sort_key=position, **own)


def main() -> NoReturn:
    """Entry point of the `pegbox` program."""
    for stream in (sys.stdout, sys.stderr):  # a terminal or a path may hold bytes that are no text
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(execute(sys.argv[1:]))


def execute(arguments: Sequence[str]) -> int:
    """Run one command line; returns its exit code, and prints what went wrong instead of raising it."""
    try:
        # Neither exit nor print: cyclopts would end with 1, which here means that the command itself failed.
        command, bound, _ = app.parse_args(list(arguments), exit_on_error=False, print_error=False)
    except CycloptsError as error:
        print_error(f"{_usage(error)} `pegbox --help` lists the commands, `pegbox COMMAND --help` its options.")
        return USAGE_ERROR
    named = bound.arguments.get("store")
    verbose = any(isinstance(value, Verbosity) and value.verbose for value in bound.arguments.values())
    try:
        if isinstance(named, Path):  # here and not in each command, nor while it is parsed: a URL may have to be asked
            from pegbox.storage.sharing.address import local_root

            bound.arguments["store"] = local_root(named)
        result = command(*bound.args, **bound.kwargs)
        # Flushed here, or a pipe that was closed shows up only while the interpreter shuts down, with a traceback of
        # its own.
        terminal.stdout().flush()
    except BrokenPipeError:
        # Who read our output has enough, as `head` does; keep the interpreter from complaining while it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), terminal.stdout().fileno())
        return 0
    except KeyboardInterrupt:
        err().print("interrupted", style="warn")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  the last one who can say what went wrong
        return _explain(error, verbose)
    return result if isinstance(result, int) else 0


def _usage(error: CycloptsError) -> str:
    """What is wrong with a command line."""
    if isinstance(error, UnusedCliTokensError):
        return f"Got more than the command takes: {' '.join(error.unused_tokens or ())!r}."
    return str(error)


def _explain(error: Exception, verbose: bool) -> int:
    """Say what went wrong; the traceback is for those who ask for it."""
    # Imported when there is an error: pydantic takes longer to load than `--help` to print.
    from pegbox.schemas.errors import PegboxError, StudyError

    if verbose:
        err().print_exception()
    if isinstance(error, StudyError):
        for problem in str(error).splitlines():
            print_error(problem)
        return error.exit_code
    if isinstance(error, PegboxError):
        print_error(str(error), "interrupted" if error.exit_code == INTERRUPTED else "error")
        return error.exit_code
    if said := _of_the_system(error):
        print_error(said)
        return 1
    hint = "" if verbose else " This should not happen; with -v you see where it did."
    print_error(f"{type(error).__name__}: {error}.{hint}")
    return 1


def _of_the_system(error: Exception) -> str | None:
    """What the system refused, which no program can foresee, and what to do; None for any other error."""
    if isinstance(error, MemoryError):
        return "The memory did not suffice. End other programs, or give the command less: fewer workers, less data."
    if isinstance(error, OSError) and error.strerror:
        where = f" {error.filename!r}" if error.filename is not None else ""
        said = error.strerror.lower()
        return f"The system refused{where}: {said}. See that it exists, that you may use it, and that there is room."
    return None
