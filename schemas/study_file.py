"""Reads a study file and says of every mistake where it stands; checks nothing that needs data or code."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from pegbox.schemas.errors import Problem, StudyError
from pegbox.schemas.study import StudySpec
from pegbox.schemas.validation_messages import validation_problems
from pegbox.schemas.yaml_text import YamlText, YamlTextError, parse_yaml

FOREIGN_KEYS = frozenset({"parameters", "apiVersion", "hydra", "hydra/sweeper"})
"""What sweeps of W&B, experiments of Katib and Hydra configurations have, and no study."""


@dataclass(frozen=True)
class StudyFile:
    """A study with the text that it was read from."""

    path: Path
    spec: StudySpec
    _text: YamlText

    def locate(self, path: Iterable[str | int]) -> tuple[int, int]:
        """Line and column, from 1, of an entry, or of the nearest entry around it that is written down."""
        return self._text.locate(tuple(path))

    def error(self, problems: Iterable[Problem]) -> StudyError:
        """An error that says of problems found elsewhere where they stand in this file."""
        return StudyError([_placed(problem, self._text) for problem in problems], str(self.path))


def read_study(path: Path) -> StudyFile:
    """Read a study file.

    Raises:
        StudyError: The file cannot be read, is not YAML, or does not say what a study needs; carries every problem
            with its line and column.
    """
    text = _read(path)
    try:
        parsed = parse_yaml(text)
    except YamlTextError as error:
        raise StudyError(error.problem, str(path)) from error
    if not isinstance(parsed.value, dict):
        raise StudyError(Problem(_not_a_mapping(parsed.value), (), 1, 1), str(path))
    if "space" not in parsed.value and (foreign := FOREIGN_KEYS & parsed.value.keys()):
        key = sorted(foreign)[0]
        message = f"a study is expected, but `{key}` and no `space` tell of another tool's file."
        remedy = f"`pegbox convert {path}` makes a study file of it."
        raise StudyError(Problem(f"{message} {remedy}", (), *parsed.locate((key,), key=True)), str(path))
    try:
        spec = StudySpec.model_validate(parsed.value)
    except ValidationError as error:
        problems = [_placed(problem, parsed) for problem in validation_problems(error, parsed.value)]
        # By place, as one reads a file; pydantic tells them by the order of the schema.
        raise StudyError(sorted(problems, key=lambda one: (one.line, one.column)), str(path)) from error
    return StudyFile(path, spec, parsed)


def _placed(problem: Problem, text: YamlText) -> Problem:
    if problem.line is not None:
        return problem
    is_about_the_key = any(
        words in problem.message for words in ("unknown key", "unknown parameter", "has no hyperparameter")
    )
    line, column = text.locate(problem.path, key=is_about_the_key)
    return problem._replace(line=line, column=column)


def _not_a_mapping(value: object) -> str:
    if value is None:
        return "the file is empty. `pegbox init` writes a study to begin with."
    came = "a list" if isinstance(value, list) else f"the text {str(value)[:60]!r}"
    return f"a study is a mapping with the keys name, data, train, space, objective and budget; got {came}."


def _read(path: Path) -> str:
    try:
        # Bytes first, so that an error of the encoding can name line and column; utf-8-sig, because some editors on
        # Windows write a byte order mark.
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise StudyError(_no_such_file(path), str(path)) from error
    except IsADirectoryError as error:
        raise StudyError("a study file is expected, got a directory. Name the file in it.", str(path)) from error
    except UnicodeDecodeError as error:
        before = path.read_bytes()[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        byte = f"0x{error.object[error.start]:02x}"
        message = f"the text must be UTF-8, got the byte {byte}. Save the file as UTF-8."
        raise StudyError(Problem(message, (), line, column), str(path)) from error
    except (OSError, ValueError) as error:  # no permission; a name with a null byte
        raise StudyError(f"the file cannot be read: {error}.", str(path)) from error


def _no_such_file(path: Path) -> str:
    folder = path.parent
    others = [*folder.glob("*.yaml"), *folder.glob("*.yml")] if folder.is_dir() else []
    close = get_close_matches(path.name, [other.name for other in others], n=1)
    if close:
        return f"there is no such file. Did you mean {str(folder / close[0])!r}?"
    return "there is no such file. `pegbox init` writes a study to begin with."
