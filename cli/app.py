"""The command line: which commands there are, and what becomes of their errors; each command is a file of its own."""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from cyclopts import App, CycloptsError

from pegbox import __version__
from pegbox.cli import terminal
from pegbox.cli.console import err, safe
from pegbox.cli.options import Verbosity

USAGE_ERROR = 2
INTERRUPTED = 130
EXIT_CODES = (
    "Exit codes: 0 done, 1 error, 2 usage or study file invalid, 3 no trial succeeded, 4 target missed, "
    "5 store busy or newer, 130 interrupted."
)
COMMANDS = {
    "init": "Write a study file to begin with, and its JSON Schema for the editor.",
    "validate": "Check a study file, its data and its import paths.",
    "schema": "Print the JSON Schema of the study file, for editors.",
    "run": "Run a study, or go on with it.",
    "resume": "Go on with a study from its history.",
    "retry": "Give failed trials a further attempt.",
    "stop": "Stop a study that runs in another terminal.",
    "ls": "List the studies of a store.",
    "status": "Show how a study stands.",
    "watch": "Follow a study that runs, until it ends.",
    "best": "Show what to run, and how sure that is.",
    "explain": "Show which hyperparameters matter, what they do, and what to do next.",
    "compare": "Show where two trials or studies differ, which is better, and how sure that is.",
    "sql": "Ask the history with SQL.",
    "report": "Write the answer of a study and its charts as one HTML file.",
    "ui": "Show the studies of a store in the browser, live.",
    "schedule": "Have a study look after itself by the clock.",
    "replay": "Make every decision of a study again from its history, and report differences.",
    "store": "Verify a store, rebuild it from its journals, or free space.",
    "doctor": "Check versions, the Prefect server, the store, the disk and the devices.",
}
"""In the order in which a user meets them; their modules are imported when they are called."""

app = App(
    name="pegbox",
    help="Tune hyperparameters: a study file goes in, an answer comes out.",
    version=__version__,
    help_format="plaintext",
    help_epilogue=EXIT_CODES,
)
DETAILS = {
    "validate": "Says of everything that is wrong where it stands and what to do.",
    "run": "The same command again resumes or extends the study. Ctrl-C lets running trials finish, a second one stops "
    "at once; either way the same command goes on later.",
    "watch": "Ctrl-C stops watching, not the study.",
}
GROUPS = {"store"}
"""Commands that have commands of their own."""
for position, (name, help_line) in enumerate(COMMANDS.items()):
    more = {} if name in GROUPS else {"help_epilogue": DETAILS.get(name, "")}
    app.command(f"pegbox.cli.{name}:{name}", name=name, help=help_line, sort_key=position, **more)


def main() -> NoReturn:
    """Entry point of the `pegbox` program."""
    sys.exit(execute(sys.argv[1:]))


def execute(arguments: Sequence[str]) -> int:
    """Run one command line; returns its exit code, and prints what went wrong instead of raising it."""
    try:
        command, bound, _ = app.parse_args(list(arguments), exit_on_error=False, print_error=False)
    except CycloptsError as error:
        _print_error(f"{error} `pegbox --help` lists the commands, `pegbox COMMAND --help` its options.")
        return USAGE_ERROR
    verbose = any(isinstance(value, Verbosity) and value.verbose for value in bound.arguments.values())
    try:
        result = command(*bound.args, **bound.kwargs)
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


def _explain(error: Exception, verbose: bool) -> int:
    """Say what went wrong; the traceback is for those who ask for it."""
    from pegbox.schemas.errors import PegboxError, StudyError

    if verbose:
        err().print_exception()
    if isinstance(error, StudyError):
        for problem in str(error).splitlines():
            _print_error(problem)
        return error.exit_code
    if isinstance(error, PegboxError):
        _print_error(str(error), "interrupted" if error.exit_code == INTERRUPTED else "error")
        return error.exit_code
    hint = "" if verbose else " This should not happen; with -v you see where it did."
    _print_error(f"{type(error).__name__}: {error}.{hint}")
    return 1


def _print_error(message: str, word: str = "error") -> None:
    console = err()
    console.print(f"{word}:", style="bad" if word == "error" else "warn", end=" ")
    console.print("\n".join(safe(line) for line in message.splitlines()), soft_wrap=True)
