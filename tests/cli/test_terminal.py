"""What libraries print goes to the log, from wherever they print; our words reach the user."""

import os
import subprocess
import sys

PROGRAM = """
import atexit, os, subprocess, sys
from pathlib import Path
from pegbox.cli import terminal
from pegbox.cli.console import err, out
terminal.hush(Path(sys.argv[1]))
print("chatter of a library")
print("more chatter", file=sys.stderr)
os.write(2, b"chatter from C\\n")
subprocess.run([sys.executable, "-c", "print('chatter of a child')"])
atexit.register(lambda: print("chatter while shutting down", file=sys.stderr))
out().print("the answer")
err().print("how it goes")
terminal.stdout().flush()
"""


def test_only_our_words_reach_the_terminal(tmp_path):
    log = tmp_path / "logs" / "run.log"

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(log)], check=False, capture_output=True, text=True, timeout=60
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "the answer\n", "how it goes\n")
    kinds = ("of a library", "more", "from C", "of a child", "while shutting down")
    assert [kind for kind in kinds if kind not in log.read_text()] == []


def test_control_keys_are_silent_while_a_picture_is_drawn():
    import pty
    import termios

    ours, theirs = pty.openpty()
    program = """
import termios
from pegbox.cli.terminal import silent_control_keys
flags = lambda: bool(termios.tcgetattr(0)[3] & termios.ECHOCTL)
before = flags()
with silent_control_keys():
    during = flags()
print(before, during, flags())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], stdin=theirs, check=False, capture_output=True, text=True, timeout=60
    )
    os.close(ours)
    os.close(theirs)

    assert termios.ECHOCTL
    assert done.stdout == "True False True\n"
