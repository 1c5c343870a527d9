"""`pegbox init`: a study to begin with, that runs as it is written; checks and runs nothing."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from pegbox.cli.console import out, safe
from pegbox.cli.options import QUIET, Verbosity
from pegbox.schemas.errors import StudyError

TEMPLATES = {
    "study": ("study.yaml",),
    "function": ("study.yaml", "train.py"),
    "command": ("study.yaml", "train.py"),
    "demo": ("study.yaml",),
}


def init(
    kind: Annotated[
        Literal["study", "function", "command", "demo"],
        Parameter(help="A network that pegbox trains, your own function, any program, or the demo."),
    ] = "study",
    *,
    directory: Annotated[Path, Parameter(name=["--directory", "-d"], help="Where to write.")] = Path(),
    force: Annotated[bool, Parameter(negative="", show_default=False, help="Replace files that are there.")] = False,
    verbosity: Verbosity = QUIET,
) -> None:
    """Write a study file to begin with, and its JSON Schema for the editor.

    Raises:
        StudyError: A file is there already, or cannot be written.
    """
    texts = {name: (files("pegbox.cli") / "templates" / kind / name).read_text("utf-8") for name in TEMPLATES[kind]}
    texts["study.schema.json"] = _schema()
    # All are looked at before the first is written: a refusal halfway would leave files of two kinds.
    there = [name for name in texts if (directory / name).exists()]
    if there and not force:
        raise StudyError(
            f"it is there already, and nothing was written. Replace it with `pegbox init {kind} --force`, or write "
            "elsewhere with --directory.",
            str(directory / there[0]),
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (directory / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise StudyError(f"it cannot be written: {(error.strerror or str(error)).lower()}.", str(directory)) from error
    _tell(directory, list(texts))


def _schema() -> str:
    from pegbox.schemas.study_schema import study_schema

    return json.dumps(study_schema(), indent=2) + "\n"


def _tell(directory: Path, names: list[str]) -> None:
    console = out()
    for name in names:
        console.print(f"wrote {safe(str(directory / name))}")
    enter = "" if directory == Path() else f"cd {safe(str(directory))} && "
    console.print(f"next: {enter}pegbox run study.yaml")
