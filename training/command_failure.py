"""Finds the cause in what a failed program wrote, for the message that people read; starts and reads nothing else."""

import re

from pegbox.schemas.failure import Failure, FailureKind
from pegbox.training.failures import failed, signal_name

_CAUSE = re.compile(
    r"(?:\w+\.)*\w*(?:Error|Exception|Interrupt|Exit|Failure)\b(?::.*)?$"  # the last line of a Python traceback
    r"|.*?\b(?:error|fatal|panic|terminate called|command not found|assertion)\b.*"
    r"|(?:Segmentation fault|Killed|Aborted|Bus error).*",
    re.IGNORECASE,
)
_FRAME = re.compile(r'\s*File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<function>\S+)')
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_OUT_OF_MEMORY = ("MemoryError", "out of memory", "OutOfMemoryError", "std::bad_alloc")


def failure_of_program(program: str, code: int, output: str, errors: str) -> Failure:
    """The failure of a program that ended with a code other than 0.

    Args:
        program: Its name.
        code: Exit code; a negative one is the number of the signal that ended it.
        output: The end of its stdout.
        errors: The end of its stderr.
    """
    both = f"stdout, the end:\n{output}\nstderr, the end:\n{errors}"
    if code < 0:
        return failed(FailureKind.KILLED, f"{program} was ended by {signal_name(-code)}.", both).failure
    cause = cause_in(errors) or cause_in(output) or _last_line(errors) or _last_line(output) or "it printed nothing"
    kind = FailureKind.OUT_OF_MEMORY if any(text in cause for text in _OUT_OF_MEMORY) else FailureKind.ERROR
    return failed(kind, f"{program} ended with exit code {code}: {cause}", both).failure


def cause_in(text: str) -> str:
    """The exception that ended a program, and where; empty where the text names none.

    A program's last line is often another one: a hint of its framework, or the summary of a launcher.
    """
    lines = [_COLOUR.sub("", line).rstrip() for line in text.splitlines()]
    found = _last_exception(lines)
    if found is None:
        found = next((place for place in reversed(range(len(lines))) if _CAUSE.match(lines[place].strip())), None)
    if found is None:
        return ""
    frames = [frame for line in lines[:found] if (frame := _FRAME.match(line))]
    where = f" ({frames[-1]['file']}, line {frames[-1]['line']}, in {frames[-1]['function']})" if frames else ""
    return f"{lines[found].strip()}{where}"


def _last_exception(lines: list[str]) -> int | None:
    """Where the last traceback of Python ends: the first line behind it that is not indented."""
    begins = [place for place, line in enumerate(lines) if line.startswith("Traceback (most recent call last)")]
    if not begins:
        return None
    return next((at for at in range(begins[-1] + 1, len(lines)) if lines[at] and not lines[at][0].isspace()), None)


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
