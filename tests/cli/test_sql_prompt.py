"""The prompt of `pegbox sql`, in a process of its own on a real terminal."""

import os
import pty
import re
import select
import sys
import time
from pathlib import Path

import pytest

PEGBOX = [sys.executable, "-c", "from pegbox.cli.app import main; main()"]
PROMPT = "pegbox> "
PATIENCE_SECONDS = 120


class Terminal:
    """`pegbox sql` with a user before it."""

    def __init__(self, store: Path, home: Path, *arguments: str) -> None:
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "XDG_STATE_HOME": str(home), "INPUTRC": "/none"}
        self.child, self.terminal = pty.fork()
        if self.child == 0:  # pragma: no cover
            os.execvpe(PEGBOX[0], [*PEGBOX, "sql", *arguments, "--store", str(store)], environment)
        self.shown = ""

    def wait_for(self, words: str) -> str:
        """All that was shown up to the words and since the last call."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while words not in self.shown:
            assert time.monotonic() < deadline, f"{words!r} never came, only {self.shown!r}"
            if select.select([self.terminal], [], [], 1.0)[0]:
                self.shown += plain(os.read(self.terminal, 65536))
        before, _, self.shown = self.shown.partition(words)
        return before

    def type(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    def close(self) -> int:
        """Its exit code."""
        self.type("\x15\x04")  # whatever is typed is dropped, then the end
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if select.select([self.terminal], [], [], 1.0)[0]:
                try:
                    os.read(self.terminal, 65536)
                except OSError:  # its end is closed
                    break
        else:
            os.kill(self.child, 9)
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])


def plain(written: bytes) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.decode(errors="replace")).replace("\r", "")


@pytest.fixture
def user(store, tmp_path):
    """At the first prompt."""
    terminal = Terminal(store, tmp_path)
    terminal.wait_for(PROMPT)
    yield terminal
    terminal.close()


def test_queries_are_answered_one_after_the_other(user):
    user.type("SELECT 40 + 2 AS answer;\n")
    first = user.wait_for(PROMPT)
    user.type("SELECT count(*) AS n\nFROM trials\n;\n")
    second = user.wait_for(PROMPT)

    assert first.split()[-2:] == ["answer", "42"]
    assert second.split()[-2:] == ["n", "13"]


def test_a_mistake_is_told_and_the_prompt_goes_on(user):
    user.type("SELECT nothing FROM nowhere;\n")
    told = user.wait_for(PROMPT)
    user.type("SELECT 7 AS lucky;\n")

    assert "error: The query failed" in told
    assert user.wait_for(PROMPT).split()[-2:] == ["lucky", "7"]


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("FROM study_do\t", "FROM study_done"),
        ("FROM interac\t", "FROM interaction("),
        ("FROM top('don\t", "FROM top('done'"),
    ],
)
def test_tab_completes_names_of_the_history(user, typed, completed):
    user.type(typed)

    user.wait_for(completed)


def test_a_query_comes_back_in_the_next_session(store, tmp_path):
    user = Terminal(store, tmp_path)
    user.wait_for(PROMPT)
    user.type("SELECT 'from before' AS said;\n")
    user.wait_for(PROMPT)
    assert user.close() == 0
    again = Terminal(store, tmp_path)
    again.wait_for(PROMPT)

    again.type("\x1b[A")

    again.wait_for("SELECT 'from before' AS said;")
    again.type("\n")
    again.wait_for(PROMPT)
    assert again.close() == 0


def test_ctrl_c_drops_what_is_typed_or_stops_what_runs(user):
    # Python shows its prompt a moment before it waits for keys, and misses an interrupt in between.
    time.sleep(0.5)
    user.type("SELECT half a thought\x03")
    user.wait_for(PROMPT)
    user.type("SELECT count(*) FROM range(1000000000) a, range(1000000000) b;\n")
    user.wait_for("b;\n")
    time.sleep(0.5)
    user.type("\x03")
    user.wait_for("stopped")
    user.wait_for(PROMPT)
    user.type("SELECT 1 AS alive;\n")

    assert user.wait_for(PROMPT).split()[-2:] == ["alive", "1"]


def test_the_prompt_explains_names_and_itself(user):
    user.type(".help marginal\n")
    told = user.wait_for(PROMPT)
    user.type(".tables\n")
    listed = user.wait_for(PROMPT)
    user.type(".nothing\n")

    assert "macro marginal(study, parameter, bins, scale)" in told
    assert "Example: FROM marginal(" in told
    assert re.search(r"^view +study_done$", listed, re.MULTILINE)
    assert "There is no command '.nothing'" in user.wait_for(PROMPT)


def test_a_study_that_is_run_meanwhile_is_seen(add_study, tmp_path):
    add_study(tmp_path / "store", "first")
    terminal = Terminal(tmp_path / "store", tmp_path)
    terminal.wait_for(PROMPT)

    add_study(tmp_path / "store", "second")
    terminal.type("SELECT study FROM studies ORDER BY 1;\n")

    assert terminal.wait_for(PROMPT).split()[-2:] == ["first", "second"]
    assert terminal.close() == 0
