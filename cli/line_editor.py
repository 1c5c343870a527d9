"""Editing, history and completion of typed lines, by the standard library's readline where the system has one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

try:
    import readline
except ImportError:  # a system without it: lines are read as the terminal gives them
    readline = None  # type: ignore[assignment]

# Picked by hand, as bash keeps some hundreds by default; without a limit the file grows for ever.
MOST_REMEMBERED = 1000


class Matches(Protocol):
    """What completes a word."""

    def matches(self, text: str, before: str) -> list[str]:
        """What may stand instead of the text, after what stands before it."""


@contextmanager
def line_editor(completer: Matches, history: Path, delimiters: str) -> Iterator[None]:
    """Have `input` edit lines, complete words with Tab, and know what was typed in earlier sessions.

    Args:
        completer: Completes a word.
        history: File of what was typed; not kept where it cannot be written.
        delimiters: Characters between words.
    """
    if readline is None:
        yield
        return
    readline.set_completer(_by_state(completer))
    readline.set_completer_delims(delimiters)
    is_libedit = "libedit" in (readline.__doc__ or "")
    # macOS has libedit under the name of readline, which reads bindings in a language of its own and tells only by its
    # docstring.
    readline.parse_and_bind("bind ^I rl_complete" if is_libedit else "tab: complete")
    # A query over several lines is remembered as one; by itself readline keeps each line that `input` read.
    readline.set_auto_history(False)
    # The history of the process may hold what a surrounding interpreter was told.
    readline.clear_history()
    with suppress(OSError):
        readline.read_history_file(history)
    try:
        yield
    finally:
        readline.set_completer(None)
        readline.set_history_length(MOST_REMEMBERED)
        with suppress(OSError):
            history.parent.mkdir(parents=True, exist_ok=True)
            readline.write_history_file(history)


def remember(line: str) -> None:
    """Keep a line that may be wanted again; a repetition is kept once."""
    if readline is None:
        return
    last = readline.get_current_history_length()
    if not last or readline.get_history_item(last) != line:
        readline.add_history(line)


def _by_state(completer: Matches) -> Callable[[str, int], str | None]:
    found: list[str] = []

    def complete(text: str, state: int) -> str | None:
        """As readline asks: the first match, the second, ..., until there is none."""
        if state == 0:
            found[:] = completer.matches(text, readline.get_line_buffer()[: readline.get_begidx()])
        return found[state] if state < len(found) else None

    return complete
