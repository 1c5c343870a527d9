"""The code behind an import path or a command of the user's."""

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pegbox.training.code_parts import CodeStart, UserCode, file_part, read_code, starts_of_import

_SHELLS = frozenset({".sh", ".bash", ".zsh"})
# What a program writes is another file after each trial: counted, no trial would ever be found again.
_PRODUCT = re.compile(r"[\w-]*(out|save|log|dest|result|write|report)[\w-]*", re.I)
_MODULE_OPTION = "-m"


def code_of_imports(*paths: str) -> UserCode:
    """What the modules of import paths draw in, those that are the user's own."""
    return read_code(start for path in paths for start in starts_of_import(path))


class _Named(NamedTuple):
    """What a command line names: Python to follow, and files that count as they are."""

    starts: tuple[CodeStart, ...]
    files: tuple[Path, ...]


def code_of_command(command: Sequence[str]) -> UserCode:
    """What a command runs and is given: Python with what it imports, shell scripts with what they call, other files."""
    named = _named(command, set())
    code = read_code(named.starts)
    return code.plus(*(file_part(file) for file in named.files))


def files_of_command(command: Sequence[str]) -> tuple[Path, ...]:
    """The files of `code_of_command`."""
    named = _named(command, set())
    return (*read_code(named.starts).files, *named.files)


def _named(command: Sequence[str], seen: set[Path]) -> _Named:
    starts: list[CodeStart] = []
    files: list[Path] = []
    for before, argument in zip(("", *command), command, strict=False):
        if before == _MODULE_OPTION:
            starts += [*starts_of_import(argument), *starts_of_import(f"{argument}.__main__")]
            continue
        for path in _paths(before, argument):
            if path.resolve() in seen:
                continue
            seen.add(path.resolve())
            if path.suffix == ".py":
                starts.append(CodeStart(path, path.stem))
                continue
            files.append(path)
            if path.suffix in _SHELLS:
                inner = _named(_words(path), seen)
                starts += inner.starts
                files += inner.files
    return _Named(tuple(starts), tuple(files))


def _paths(before: str, argument: str) -> Iterator[Path]:
    """Files that an argument names: `conf.yaml`, `--config=conf.yaml`; not what it is told to write."""
    option, _, value = argument.rpartition("=")
    if _PRODUCT.fullmatch(option) or (before.startswith("-") and _PRODUCT.fullmatch(before)):
        return
    for text in {argument, value}:
        try:
            if text and (path := Path(text)).is_file():
                yield path
        except (OSError, ValueError):  # an argument that no path can be: too long, or with a null byte
            continue


def _words(script: Path) -> list[str]:
    """The words of a shell script, without its comments."""
    text = script.read_text(encoding="utf-8", errors="replace")
    words: list[str] = []
    for line in text.splitlines():
        try:
            words += shlex.split(line, comments=True)
        except ValueError:  # a quotation over several lines
            words += line.split()
    return words
