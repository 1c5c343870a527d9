"""What a study says that its training depends on, beside what can be seen in the code."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pegbox.schemas.code import CodePart
from pegbox.schemas.errors import Problem, StudyError
from pegbox.schemas.named_files import files_named
from pegbox.schemas.secret_texts import is_secret_name
from pegbox.schemas.train import TrainSpec
from pegbox.training.code_parts import environment_part, file_part

_ENVIRONMENT, _PACKAGE = "env:", "package:"
_PLACE = ("train", "depends")


def declared_parts(train: TrainSpec) -> tuple[CodePart, ...]:
    """The parts of `train.depends` and `train.version`.

    Raises:
        StudyError: One of them is not there.
    """
    parts: list[CodePart] = []
    for place, entry in enumerate(getattr(train, "depends", ())):
        try:
            parts += _parts(entry)
        except ValueError as error:
            raise StudyError(Problem(str(error), (*_PLACE, place))) from error
    if (named := getattr(train, "version", None)) is not None:
        parts.append(CodePart(kind="version", name="", value=named))
    return tuple(parts)


def check_declared(train: TrainSpec) -> tuple[Problem, ...]:
    """What is wrong with `train.depends`."""
    try:
        declared_parts(train)
    except StudyError as error:
        return error.problems
    return ()


def unseen_code(train: TrainSpec, places: tuple[str, ...]) -> tuple[Problem, ...]:
    """Modules that are imported by a name which is made up while it runs, unless the study says what they are."""
    if not places or declared_parts(train):
        return ()
    message = (
        f"{', '.join(places)}: a module is imported by a name that is made up while the code runs. A change of it "
        "would not be seen, and results of the old code be used again. Name its files under train.depends."
    )
    return (Problem(message, _PLACE),)


def _parts(entry: str) -> Iterator[CodePart]:
    """Of one entry.

    Raises:
        ValueError: It is nothing that is there, or two things at once.
    """
    if entry.startswith(_ENVIRONMENT):
        name = entry.removeprefix(_ENVIRONMENT)
        if is_secret_name(name):
            raise ValueError(f"{name} looks like a secret, and a fingerprint of it would be stored. Leave it out.")
        yield environment_part(name)
    elif entry.startswith(_PACKAGE):
        yield _package(entry.removeprefix(_PACKAGE))
    elif _is_package(entry) and Path(entry).exists():
        raise ValueError(f"{entry} is a file here and an installed package: write './{entry}' or '{_PACKAGE}{entry}'.")
    elif _is_package(entry):
        yield _package(entry)
    else:
        try:
            yield from (file_part(file, file.as_posix()) for file in files_named(entry))
        except ValueError as error:
            raise ValueError(f"{error} An installed package or env:NAME may stand here as well.") from error


def _is_package(name: str) -> bool:
    try:
        version(name)
    except (PackageNotFoundError, ValueError):  # a path is no name of a distribution
        return False
    return True


def _package(name: str) -> CodePart:
    try:
        return CodePart(kind="package", name=name, value=version(name))
    except (PackageNotFoundError, ValueError) as error:
        raise ValueError(f"no package {name!r} is installed. Write its name as `pip list` shows it.") from error
