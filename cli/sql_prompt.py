"""The prompt of `pegbox sql`: reads queries from a terminal, one after the other; how answers look is the caller's."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pegbox.cli.console import err, out, print_error, safe
from pegbox.cli.line_editor import line_editor, remember
from pegbox.cli.sql_words import DELIMITERS, Completer
from pegbox.schemas.errors import PegboxError
from pegbox.storage.completion import Word, completion_words, studies_to_complete
from pegbox.storage.freshness import is_fresh
from pegbox.storage.layout import StoreLayout
from pegbox.storage.sandbox import QueryResult, Sandbox, open_sandbox

PROMPT = "pegbox> "
MORE = "   ...> "
GREETING = "A query ends with a semicolon. Tab completes names, .help NAME explains one, .quit or Ctrl-D ends."
HELP = """.tables       all tables, views and macros
.help NAME    what a table, view or macro is, with an example
.quit         end, as Ctrl-D does; Ctrl-C drops what is typed, or stops the query that runs"""

Give = Callable[[QueryResult], None]


class Session:
    """A store that is asked again and again, each time as it is at that moment."""

    def __init__(self, store: Path) -> None:
        self._layout = StoreLayout(store.absolute())
        self._sandbox = open_sandbox(store)
        self._seen = self._stamp()
        self.words = completion_words(self._layout, self._sandbox)
        self.studies = studies_to_complete(self._sandbox)

    def ask(self, query: str, give: Give) -> None:
        """Run one query and give its answer; what goes wrong is printed, and the session goes on."""
        try:
            give(self._fresh().query(query))
        except PegboxError as error:
            print_error(str(error))
        except KeyboardInterrupt:
            self._sandbox.close()  # the next query gets another
            err().print("stopped", style="warn")

    def close(self) -> None:
        """End the process of the queries."""
        self._sandbox.close()

    def _fresh(self) -> Sandbox:
        """One on the newest snapshot."""
        # A session of hours must not answer from the snapshot that it began with.
        if self._stamp() != self._seen or not is_fresh(self._layout):
            self._sandbox.close()
            self._sandbox = open_sandbox(self._layout.root)
            self._seen = self._stamp()
        return self._sandbox

    def _stamp(self) -> tuple[int, int] | None:
        """Tells one published snapshot from the next."""
        with suppress(OSError):
            stat = self._layout.snapshot.stat()
            return stat.st_ino, stat.st_mtime_ns
        return None


def prompt(store: Path, give: Give) -> None:
    """Read and answer queries until the user ends it.

    Args:
        store: Whose history.
        give: Prints an answer.

    Raises:
        NotFoundError: There is no history in the directory.
    """
    session = Session(store)
    err().print(GREETING, style="quiet")
    try:
        with line_editor(Completer(session.words, session.studies), history_file(), DELIMITERS):
            while (statement := _statement()) is not None:
                if statement.startswith("."):
                    _obey(statement, session.words)
                elif statement.rstrip("; "):
                    session.ask(statement, give)
    finally:
        session.close()


def history_file() -> Path:
    """Where the queries that were typed are kept, across stores."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "pegbox" / "sql_history"


def _statement() -> str | None:
    """What the user types, up to a semicolon or an empty line; None at the end."""
    lines: list[str] = []
    while True:
        try:
            line = input(MORE if lines else PROMPT).rstrip()
        except KeyboardInterrupt:
            out().print()
            lines.clear()
            continue
        except EOFError:
            out().print()
            return None
        if not lines and line in {".quit", ".exit", "quit", "exit"}:
            return None
        lines += [line] if line else []
        if lines and (not line or line.endswith(";") or lines[0].startswith(".")):
            # A comment of SQL runs to the end of its line; in one line it would swallow the rest of the query.
            statement = " ".join(lines) if not any("--" in one for one in lines) else "\n".join(lines)
            remember(statement)
            return statement


def _obey(command: str, words: tuple[Word, ...]) -> None:
    name, _, about = command.rstrip("; ").partition(" ")
    named = [word for word in words if word.kind != "column"]
    if name == ".tables":
        for word in named:
            out().print(f"{word.kind:6} {safe(_call(word))}")
    elif name == ".help" and about:
        found = [word for word in named if word.name.strip('"').lower() == about.strip().strip('"').lower()]
        for word in found:
            out().print(f"{word.kind} {safe(_call(word))}\n{safe(word.comment)}")
        if not found:
            print_error(f"There is no table, view or macro {about!r}. .tables lists what there is.")
    elif name == ".help":
        out().print(HELP)
    else:
        print_error(f"There is no command {name!r}; .help lists them. A query has no dot before it.")


def _call(word: Word) -> str:
    return f"{word.name}({word.parameters})" if word.kind == "macro" else word.name
